#!lua
-- token_put: stores a token under its hash.
-- KEYS 1 meta, 2 tok
-- ARGV 1 idempotency key, 2 request hash, 3 sha256 of the token in hex, 4 JSON, 5 the nonce it was derived from
-- Answers {'ok', nonce}; the nonce alone makes no token, the installation key does (daemon/api/auth.h).
--@use idem
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[5] })
