#!lua
-- restore_messages: the next messages of a conversation that comes back from the history. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 c:<cnv>, 3 m:<cnv>, 4 y:<cnv>
-- ARGV 1 cnv, 2 index of the first, then of each: id, JSON, mark, provider's id, files, bucket (hex; '' no reference) and
--      field of its reference, '1' where attachments are to be fetched
-- One that was on its way out is uncertain: it may have left since. Answers {'ok', messages there}.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
local there = call('LLEN', KEYS[3])
if there ~= tonumber(ARGV[2]) then
	return { 'ok', there }
end
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local cnv = ARGV[1]
local ch = call('HGET', KEYS[2], 'ch') or ''

for i = 3, #ARGV, 8 do
	local msg, mark, n = ARGV[i], ARGV[i + 2], there
	there = call('RPUSH', KEYS[3], ARGV[i + 1])
	if mark:find('^queued') or mark:find('^sending') then
		mark = 'uncertain lost the store was lost while it was on its way'
		call('HSET', ws .. 'dead:' .. msg, 'c', cnv, 's', 'dead', 'ct', now, 'n', n, 'ch', ch, 'code', 'lost', 'why',
			'the store was lost while it was on its way', 'at', 0, 'id', 0, 'm', 'uncertain')
		call('ZADD', ws .. 'dead', now, msg)
	end
	if mark ~= '' then
		call('HSET', KEYS[4], msg, mark)
	end
	if ARGV[i + 3] ~= '' then
		call('HSET', KEYS[4], msg .. '.id', ARGV[i + 3])
	end
	if ARGV[i + 4] ~= '' then
		call('HSET', KEYS[4], msg .. '.files', ARGV[i + 4])
	end
	if ARGV[i + 5] ~= '' then
		call('HSETNX', ws .. 'r:' .. ARGV[i + 5], ARGV[i + 6], cnv:sub(5) .. ' ' .. msg:sub(5) .. ' ' .. n)
	end
	if ARGV[i + 7] == '1' then
		call('ZADD', ws .. 'md', now, cnv .. ' ' .. msg .. ' ' .. n)
	end
end
call('HSET', KEYS[2], 'n', there)
return { 'ok', there }
