#!lua flags=allow-oom
-- erase_page: what stands outside a conversation's own keys for some of its messages goes.
-- KEYS 1 meta, 2 lease:steward   ARGV 1 fence, 2 cnv, 3 index of the first, 4 how many, those messages, then bucket and field of references
-- Answers {'ok'} or refused fence.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
if (call('GET', KEYS[2]) or ''):match('^%S+') ~= ARGV[1] then
	return { 'refused', 'fence' }
end
local first, count = tonumber(ARGV[3]), tonumber(ARGV[4])
for i = 1, count do
	local msg = ARGV[4 + i]
	call('UNLINK', ws .. 'x:' .. msg, ws .. 'dead:' .. msg)
	call('ZREM', ws .. 'dead', msg)
	call('ZREM', ws .. 'md', ARGV[2] .. ' ' .. msg .. ' ' .. (first + i - 1))
end
for i = 5 + count, #ARGV, 2 do
	call('HDEL', ws .. 'r:' .. ARGV[i], ARGV[i + 1])
end
return { 'ok' }
