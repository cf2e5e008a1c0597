#!lua
-- customer_put: an edit of a customer's own fields.
-- KEYS 1 meta, 2 u:<cus>   ARGV 1 cus, 2 version it has (0: whichever), then fields and values ('' removes one)
-- Entry customer.updated. Answers {'ok', version}, or refused not_found, version (with what it is), or moved (to whom).
--@use log
local u = redis.call('HMGET', KEYS[2], 'v', 'to')
if u[2] then
	return { 'refused', 'moved', u[2] }
end
if not u[1] then
	return { 'refused', 'not_found' }
end
if ARGV[2] ~= '0' and ARGV[2] ~= u[1] then
	return { 'refused', 'version', u[1] }
end
local version = tonumber(u[1]) + 1
redis.call('HSET', KEYS[2], 'v', version)
for i = 3, #ARGV, 2 do
	if ARGV[i + 1] == '' then
		redis.call('HDEL', KEYS[2], ARGV[i])
	else
		redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
	end
end
append('t', 'customer.updated', 'u', ARGV[1], 'v', version)
return { 'ok', version }
