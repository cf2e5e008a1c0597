#!lua
-- rating_put: how content the customer was with a work item; a later rating replaces the first.
-- KEYS 1 meta, 2 w:<wrk>   ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 score, 5 JSON, beginning with {"score":N,
-- The customer's sum goes along (rn, rs, rl). Entry customer.updated. Answers {'ok', wrk}; refused not_found.
--@use log
--@use idem
--@use customer
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local w = redis.call('HMGET', KEYS[2], 's', 'u', 'cs')
if not w[1] then
	return { 'refused', 'not_found' }
end
local cus, version
if w[2] and w[2] ~= '' then
	cus, version = customer_now(w[2])
end
local old = w[3] and w[3]:match('^{"score":(%d+)')

redis.call('HSET', KEYS[2], 'cs', ARGV[5])
if cus then
	local key = ws .. 'u:' .. cus
	redis.call('HINCRBY', key, 'rs', tonumber(ARGV[4]) - tonumber(old or 0))
	redis.call('HINCRBY', key, 'rn', old and 0 or 1)
	redis.call('HSET', key, 'rl', ARGV[5])
	append('t', 'customer.updated', 'u', cus, 'v', version)
end
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[3] })
