#!lua
-- order_hook_begin: a shop will be asked for a customer's orders, unless it was a moment ago. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 uh:<cus>   ARGV 1 hook, 2 ms until it may be asked again
-- What it answered is kept for 7 days from the last time somebody asked. Answers {'ok'}; refused busy.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local asked = tonumber(redis.call('HGET', KEYS[2], ARGV[1] .. '.t') or 0)
if asked + tonumber(ARGV[2]) > now and asked <= now then
	return { 'refused', 'busy' }
end
redis.call('HSET', KEYS[2], ARGV[1] .. '.t', ('%.0f'):format(now))
redis.call('EXPIRE', KEYS[2], 604800)
return { 'ok' }
