#!lua
-- session_put: stores a page's session or a one-time ticket, whole. A session that was opened with a code of an
-- authenticator app, or with a recovery code, uses it up in the same step: none opens two.
-- KEYS 1 meta, 2 ses:<hash>, 3 totp:<agent> (only with a code)
-- ARGV 1 idempotency key, 2 request hash, 3 the nonce it was derived from, 4 seconds to live, 5 the code's step ('': none),
--      6 hash of the recovery code ('': none), then fields and values
-- Answers {'ok', nonce}; refused code_used.
--@use idem
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
if ARGV[5] ~= '' and tonumber(ARGV[5]) <= tonumber(redis.call('HGET', KEYS[3], 'u') or 0) then
	return { 'refused', 'code_used' }
end
if ARGV[6] ~= '' and redis.call('HEXISTS', KEYS[3], 'r:' .. ARGV[6]) == 0 then
	return { 'refused', 'code_used' }
end
local fields = {}
for i = 7, #ARGV do
	fields[i - 6] = ARGV[i]
end
if ARGV[5] ~= '' then
	redis.call('HSET', KEYS[3], 'u', ARGV[5])
end
if ARGV[6] ~= '' then
	redis.call('HDEL', KEYS[3], 'r:' .. ARGV[6])
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], unpack(fields))
redis.call('EXPIRE', KEYS[2], ARGV[4])
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[3] })
