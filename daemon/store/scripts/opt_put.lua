#!lua
-- opt_put: a person writes down that the addressee of a conversation wants no messages on its channel, or wants them again.
-- KEYS 1 meta, 2 c:<cnv>   ARGV 1 out or in, 2 JSON of the consent
-- Entry customer.updated, where anything changed. Answers {'ok', out or in}; refused not_found.
--@use log
--@use customer
local call = redis.call
local c = call('HMGET', KEYS[2], 'u', 'ch', 'ik')
local cus, version
if c[1] then
	cus, version = customer_now(c[1])
end
if not cus or not c[3] then
	return { 'refused', 'not_found' }
end
local opt = ws .. 'opt:' .. c[2]
local is_out = call('HEXISTS', opt, c[3]) == 1
if is_out == (ARGV[1] == 'out') then
	return { 'ok', ARGV[1] }
end
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
version = ('%d'):format(tonumber(version) + 1)

call('HSET', ws .. 'u:' .. cus, 'v', version, 'k:messages:' .. c[2] .. '#' .. c[3], ARGV[2])
append('t', 'customer.updated', 'u', cus, 'v', version)
if is_out then
	call('HDEL', opt, c[3])
else
	call('HSET', opt, c[3], now)
end
return { 'ok', ARGV[1] }
