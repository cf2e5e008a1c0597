-- six: the raw ceiling R. The six Redis steps that any intake needs, in one script, and nothing else.
-- KEYS 1 dedupe key, 2 identities, 3 queue; ARGV 1 address, 2 payload, 3 now in ms, 4 seconds to remember
if not redis.call('SET', KEYS[1], '1', 'NX', 'EX', ARGV[4]) then
	return 0
end
local customer = redis.call('HGET', KEYS[2], ARGV[1])
if not customer then
	customer = redis.call('INCR', 'six:customers')
	redis.call('HSET', KEYS[2], ARGV[1], customer)
end
local conversation = redis.call('HGET', 'six:u:' .. customer, 'conversation')
if not conversation then
	conversation = redis.call('INCR', 'six:conversations')
	redis.call('HSET', 'six:u:' .. customer, 'conversation', conversation)
end
local number = redis.call('HINCRBY', 'six:c:' .. conversation, 'n', 1)
redis.call('XADD', 'six:m:' .. conversation, '*', 'd', ARGV[2])
redis.call('ZADD', KEYS[3], 'NX', ARGV[3], conversation)
return number
