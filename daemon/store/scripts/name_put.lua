#!lua
-- name_put: what the provider calls a person whose messages do not say it.
-- KEYS 1 meta, 2 c:<cnv>   ARGV 1 cus, 2 name
-- Only where there is no name yet. Entry customer.updated, where the customer's changed. Answers {'ok'}; refused not_found.
--@use log
--@use customer
local call = redis.call
local cus, version = customer_now(ARGV[1])
if not cus then
	return { 'refused', 'not_found' }
end
local known = call('HGET', ws .. 'u:' .. cus, 'nm')
local shown = call('HGET', KEYS[2], 'nm')
version = ('%d'):format(tonumber(version) + 1)

if shown == '' then
	call('HSET', KEYS[2], 'nm', known and known ~= '' and known or ARGV[2])
end
if (known or '') == '' then
	call('HSET', ws .. 'u:' .. cus, 'nm', ARGV[2], 'v', version)
	append('t', 'customer.updated', 'u', cus, 'v', version)
end
return { 'ok' }
