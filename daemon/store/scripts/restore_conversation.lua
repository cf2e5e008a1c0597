#!lua
-- restore_conversation: a conversation with open work that the store lost comes back from the history; its messages follow
-- (restore_messages). Bookkeeping, no log entry.
-- KEYS 1 meta, 2 c:<cnv>   ARGV 1 cnv, 2 cus, 3 wrk, then fields and values of its hash
-- Answers {'ok', 'restored'} or {'ok', 'here'}.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
if call('EXISTS', KEYS[2]) == 1 then
	return { 'ok', 'here' }
end
local cv = call('HGET', ws .. 'u:' .. ARGV[2], 'cv')

call('HSET', KEYS[2], unpack(ARGV, 4))
call('HSET', KEYS[2], 'u', ARGV[2], 'w', ARGV[3], 's', 'open', 'n', 0)
call('HSET', ws .. 'u:' .. ARGV[2], 'cv', cv and (ARGV[1] .. ' ' .. cv):sub(1, 1549) or ARGV[1])
return { 'ok', 'restored' }
