#!lua
-- hold_put: a legal hold on a customer begins or ends: while one is on, neither erasing nor retention takes anything.
-- KEYS 1 meta, 2 u:<cus>   ARGV 1 cus, 2 JSON of reason, who and when ('': it ends, those of the customers merged into it too)
-- Follows a redirect. Entry customer.updated. Answers {'ok', version}; refused not_found, erasing (the job that does).
--@use log
--@use customer
local call = redis.call
local cus, version, merged = customer_now(ARGV[1])
if not cus then
	return { 'refused', 'not_found' }
end
local key = ws .. 'u:' .. cus
local had = call('HMGET', key, 'hold', 'er')
if had[2] and ARGV[2] ~= '' then
	return { 'refused', 'erasing', had[2] }
end
if had[1] == ARGV[2] then
	return { 'ok', version }
end
local ends = {}
for id in (cus .. ' ' .. merged):gmatch('%S+') do
	if ARGV[2] == '' and call('HEXISTS', ws .. 'u:' .. id, 'hold') == 1 then
		ends[#ends + 1] = ws .. 'u:' .. id
	end
end
if ARGV[2] == '' and #ends == 0 then
	return { 'ok', version }
end
version = ('%d'):format(tonumber(version) + 1)
for _, one in ipairs(ends) do
	call('HDEL', one, 'hold')
end
call('HSET', key, 'v', version)
if ARGV[2] ~= '' then
	call('HSET', key, 'hold', ARGV[2])
end
append('t', 'customer.updated', 'u', cus, 'v', version)
return { 'ok', version }
