#!lua
-- session_put: stores a page's session or a one-time ticket, whole.
-- KEYS 1 meta, 2 ses:<hash>
-- ARGV 1 idempotency key, 2 request hash, 3 the nonce it was derived from, 4 seconds to live, then fields and values
-- Answers {'ok', nonce}.
--@use idem
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local fields = {}
for i = 5, #ARGV do
	fields[i - 4] = ARGV[i]
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], unpack(fields))
redis.call('EXPIRE', KEYS[2], ARGV[4])
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[3] })
