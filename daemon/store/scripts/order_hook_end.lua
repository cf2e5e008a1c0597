#!lua
-- order_hook_end: what a shop answered about a customer's orders.
-- KEYS 1 meta, 2 uh:<cus>   ARGV 1 cus, 2 hook, 3 JSON list
-- Entry customer.updated where it differs from what was known. Answers {'ok'}; refused not_found.
--@use log
--@use customer
local cus, version = customer_now(ARGV[1])
if not cus then
	return { 'refused', 'not_found' }
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local known = redis.call('HGET', KEYS[2], ARGV[2])
redis.call('HSET', KEYS[2], ARGV[2], ('%.0f '):format(now) .. ARGV[3])
redis.call('EXPIRE', KEYS[2], 604800)
if not known or known:match(' (.*)$') ~= ARGV[3] then
	append('t', 'customer.updated', 'u', cus, 'v', version)
end
return { 'ok' }
