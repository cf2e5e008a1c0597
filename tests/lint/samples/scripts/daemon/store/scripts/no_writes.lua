#!lua flags=no-writes
-- A comment.
local call = redis.call
call('HSET', KEYS[1], 'a', 'b')
return call('get', KEYS[1])
