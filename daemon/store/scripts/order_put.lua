#!lua
-- order_put: an order of a customer, new or in place of what is stored.
-- KEYS 1 meta, 2 u:<cus>   ARGV 1 cus, 2 order, 3 version it replaces ('': whichever, or none), 4 placed ms, 5 its JSON
--      after "version": members without braces
-- Follows a redirect. Again with the same content changes nothing. Entry customer.updated. Answers {'ok', version, 'new' or
-- ''}; refused not_found, version (with what is stored, 0: none), full (500 orders).
--@use log
--@use customer
local cus, version = customer_now(ARGV[1])
if not cus then
	return { 'refused', 'not_found' }
end
local stored = redis.call('HGET', ws .. 'uo:' .. cus, ARGV[2])
local had = stored and stored:match('^{"version":(%d+)') or '0'
if stored == '{"version":' .. had .. ',' .. ARGV[5] .. '}' then
	return { 'ok', had, '' }
end
if ARGV[3] ~= '' and ARGV[3] ~= had then
	return { 'refused', 'version', had }
end
if not stored and redis.call('HLEN', ws .. 'uo:' .. cus) >= 500 then
	return { 'refused', 'full', '500' }
end
local next_version = ('%d'):format(tonumber(had) + 1)

redis.call('HSET', ws .. 'uo:' .. cus, ARGV[2], '{"version":' .. next_version .. ',' .. ARGV[5] .. '}')
redis.call('ZADD', ws .. 'uz:' .. cus, ARGV[4], ARGV[2])
append('t', 'customer.updated', 'u', cus, 'v', version)
return { 'ok', next_version, stored and '' or 'new' }
