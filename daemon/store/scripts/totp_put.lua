#!lua
-- totp_put: an agent begins to set up an authenticator app; nothing is asked for until totp_use has seen a code of it.
-- KEYS 1 meta, 2 totp:<agent>
-- ARGV 1 idempotency key, 2 request hash, 3 the nonce its secret is derived from, then hashes of recovery codes
-- Answers {'ok', nonce}; refused active where there is one already.
--@use idem
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
if redis.call('HGET', KEYS[2], 's') == 'active' then
	return { 'refused', 'active' }
end
local fields = { 's', 'pending', 'n', ARGV[3], 'u', '0' }
for i = 4, #ARGV do
	fields[#fields + 1] = 'r:' .. ARGV[i]
	fields[#fields + 1] = '1'
end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], unpack(fields))
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[3] })
