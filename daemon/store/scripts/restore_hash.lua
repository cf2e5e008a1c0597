#!lua
-- restore_hash: notes about a customer, or suggestions, that the store lost come back from the history. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 un:<cus> or sg:<cus>   ARGV 1 cus, then fields and values of the hash
-- Answers {'ok', 'restored'}, or {'ok', 'here'} where there are some.
local call = redis.call
if call('EXISTS', KEYS[2]) == 1 then
	return { 'ok', 'here' }
end

call('HSET', KEYS[2], unpack(ARGV, 2))
return { 'ok', 'restored' }
