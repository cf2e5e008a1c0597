#!lua
-- restore_merge: a merge or a split that the store lost comes back from the history. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 mg:<mrg>   ARGV 1 mrg, then fields and values of the hash
-- Answers {'ok', 'restored'} or {'ok', 'here'}.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
if call('EXISTS', KEYS[2]) == 1 then
	return { 'ok', 'here' }
end
local m = {}
for i = 2, #ARGV, 2 do
	m[ARGV[i]] = ARGV[i + 1]
end

call('HSET', KEYS[2], unpack(ARGV, 2))
for _, cus in ipairs({ m.into, m.from }) do
	call('ZADD', ws .. 'mgs:' .. cus, tonumber(m.at) or 0, ARGV[1])
end
return { 'ok', 'restored' }
