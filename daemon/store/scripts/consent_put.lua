#!lua
-- consent_put: what a customer allows, for a purpose on a channel.
-- KEYS 1 meta, 2 u:<cus>   ARGV 1 cus, 2 field (k:<purpose>:<channel or *>), 3 its JSON
-- Follows a redirect. Entry customer.updated. Answers {'ok', version}; refused not_found, full (fields of the customer).
--@use log
--@use customer
local cus, version = customer_now(ARGV[1])
if not cus then
	return { 'refused', 'not_found' }
end
local key = ws .. 'u:' .. cus
local stored = redis.call('HGET', key, ARGV[2])
if stored == ARGV[3] then
	return { 'ok', version }
end
if not stored and redis.call('HLEN', key) >= 256 then
	return { 'refused', 'full', '256' }
end
version = ('%d'):format(tonumber(version) + 1)
redis.call('HSET', key, 'v', version, ARGV[2], ARGV[3])
append('t', 'customer.updated', 'u', cus, 'v', version)
return { 'ok', version }
