#!lua flags=no-writes
-- reply_ways: what only the store knows of the ways over which a customer can be answered.
-- KEYS 1 meta   ARGV six for each way: cnv ('' none), channel, identifier hash (hex), the same as of one who is proved, messages an
--      hour that one addressee may get ('' any number), a day
-- Answers a row for each: {ms since when opted out ('' has not), ms until one more may leave ('' at once), its reply window, ms of
-- the newest inbound message, its open work item ('' none), state and agent of that}.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
--@use caps
local rows = {}
for i = 1, #ARGV, 6 do
	local c = ARGV[i] ~= '' and call('HMGET', ws .. 'c:' .. ARGV[i], 'ik', 'wd', 'lt', 'w') or {}
	local since
	for _, hash in ipairs({ c[1] or '', ARGV[i + 2], ARGV[i + 3] }) do
		since = since or call('HGET', ws .. 'opt:' .. ARGV[i + 1], hash)
	end
	local w = c[4] and c[4] ~= '' and call('HMGET', ws .. 'w:' .. c[4], 's', 'a') or {}
	rows[#rows + 1] = { since or '', cap_wait(cap_list(ARGV[i + 1], c[1] or ARGV[i + 2], ARGV[i + 4], ARGV[i + 5]), 0) or '',
		c[2] or '', c[3] or '', c[4] or '', w[1] or '', w[2] or '' }
end
return rows
