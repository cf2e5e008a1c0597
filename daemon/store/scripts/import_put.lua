#!lua
-- import_put: a customer who came from another product, new or with what was missing.
-- KEYS 1 meta, 2 u:<cus>   ARGV 1 cus, 2 version it has (0: it is new), 3 created ms (of a new one), 4 name (of a new
--      one), 5 how many fields and values follow, those, then for each identifier: index bucket, index field, name in the
--      customer's hash, record JSON
-- Identifiers that have an owner already are left to it. Entry customer.updated. Answers {'ok', version}; refused version
-- (somebody else was faster: read again), or moved.
--@use log
local call = redis.call
local u = call('HMGET', KEYS[2], 'v', 'to')
if u[2] then
	return { 'refused', 'moved', u[2] }
end
if (u[1] or '0') ~= ARGV[2] then
	return { 'refused', 'version', u[1] or '0' }
end
local first = 6 + tonumber(ARGV[5])
local free, erased = {}, nil
for i = first, #ARGV, 4 do
	local owner = call('HGET', ws .. 'i:' .. ARGV[i], ARGV[i + 1])
	free[i] = not owner or owner == ARGV[1]
	if free[i] and ARGV[2] == '0' then
		erased = call('HGET', ws .. 'tomb:' .. ARGV[i], ARGV[i + 1]) or erased
	end
end
local version = tonumber(ARGV[2]) + 1
if version == 1 then
	call('HSET', KEYS[2], 'nm', ARGV[4], 'ct', ARGV[3], 'v', 1)
	if erased then
		call('HSET', KEYS[2], 'eb', erased)
	end
else
	call('HSET', KEYS[2], 'v', version)
end
for i = 6, first - 1, 2 do
	call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
end
for i = first, #ARGV, 4 do
	if free[i] then
		call('HSET', ws .. 'i:' .. ARGV[i], ARGV[i + 1], ARGV[1])
		call('HSETNX', KEYS[2], ARGV[i + 2], ARGV[i + 3])
	end
end
append('t', 'customer.updated', 'u', ARGV[1], 'v', version)
return { 'ok', version }
