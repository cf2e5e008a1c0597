#!lua
-- customer_note: a note about a customer is written, or deleted.
-- KEYS 1 meta, 2 u:<cus>   ARGV 1 idempotency key, 2 request hash, 3 cus, 4 note, 5 JSON ('': delete it)
-- Follows a redirect; a note is deleted wherever it was written among those who were merged. Entry customer.updated, with the
-- customer whose record holds the note.
-- Answers {'ok', note}; refused not_found, no_such_note, full (200 notes).
--@use log
--@use idem
--@use customer
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local cus, version, merged = customer_now(ARGV[3])
if not cus then
	return { 'refused', 'not_found' }
end
local key = ws .. 'un:' .. cus
if ARGV[5] ~= '' then
	if redis.call('HLEN', key) >= 200 then
		return { 'refused', 'full', '200' }
	end
else
	local holder = redis.call('HEXISTS', key, ARGV[4]) == 1 and key
	for id in merged:gmatch('%S+') do
		holder = holder or (redis.call('HEXISTS', ws .. 'un:' .. id, ARGV[4]) == 1 and ws .. 'un:' .. id)
	end
	if not holder then
		return { 'refused', 'no_such_note' }
	end
	key = holder
end
if ARGV[5] ~= '' then
	redis.call('HSET', key, ARGV[4], ARGV[5])
else
	redis.call('HDEL', key, ARGV[4])
end
append('t', 'customer.updated', 'u', cus, 'v', version, 'x', key:sub(#ws + 4))
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[4] })
