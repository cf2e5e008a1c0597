#!lua
-- order_delete: an order of a customer goes, wherever it was written among those who were merged.
-- KEYS 1 meta, 2 u:<cus>   ARGV 1 cus, 2 order, 3 version it must have ('': whichever)
-- Follows a redirect. Entry customer.updated. Answers {'ok'}; refused not_found, no_such_order, version (what is stored).
--@use log
--@use customer
local cus, version, merged = customer_now(ARGV[1])
if not cus then
	return { 'refused', 'not_found' }
end
local holders, had = {}, nil
for id in (cus .. ' ' .. merged):gmatch('%S+') do
	local stored = redis.call('HGET', ws .. 'uo:' .. id, ARGV[2])
	if stored then
		had = had or stored:match('^{"version":(%d+)')
		holders[#holders + 1] = id
	end
end
if not had then
	return { 'refused', 'no_such_order' }
end
if ARGV[3] ~= '' and ARGV[3] ~= had then
	return { 'refused', 'version', had }
end
for _, id in ipairs(holders) do
	redis.call('HDEL', ws .. 'uo:' .. id, ARGV[2])
	redis.call('ZREM', ws .. 'uz:' .. id, ARGV[2])
end
append('t', 'customer.updated', 'u', cus, 'v', version)
return { 'ok' }
