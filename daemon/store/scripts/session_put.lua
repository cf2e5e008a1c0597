#!lua
-- session_put: stores a page's session, whole.
-- KEYS 1 meta, 2 ses:<hash>   ARGV 1 seconds to live, then fields and values
local fields = {}
for i = 2, #ARGV do
	fields[i - 1] = ARGV[i]
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], unpack(fields))
redis.call('EXPIRE', KEYS[2], ARGV[1])
return { 'ok' }
