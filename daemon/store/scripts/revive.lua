#!lua
-- revive: a conversation that has left the store comes back, empty: its messages stay in the history. Bookkeeping, no
-- log entry.
-- KEYS 1 meta, 2 c:<cnv>   ARGV 1 cnv, 2 cus, 3 how many messages the history has, 4 when it began, ms, then its fields and values
-- Answers {'ok', 'revived'}, {'ok', 'here'} where it is back already; refused not_found (no such customer).
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
if call('EXISTS', KEYS[2]) == 1 then
	return { 'ok', 'here' }
end
local cus = call('HGET', ws .. 'u:' .. ARGV[2], 'to') or ARGV[2]
local u = call('HMGET', ws .. 'u:' .. cus, 'ct', 'cv')
if not u[1] then
	return { 'refused', 'not_found' }
end
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

call('HSET', KEYS[2], 'u', cus, 'w', '', 'n', 0, 'ct', now, 'pn', ARGV[3], 'pc', ARGV[4], unpack(ARGV, 5))
call('HSET', ws .. 'u:' .. cus, 'cv', u[2] and (ARGV[1] .. ' ' .. u[2]):sub(1, 1549) or ARGV[1])
call('ZADD', ws .. 'rest', now, ARGV[1])
return { 'ok', 'revived' }
