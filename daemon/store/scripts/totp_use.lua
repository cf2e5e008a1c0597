#!lua
-- totp_use: the first code of an authenticator app: from now on signing in asks for one.
-- KEYS 1 meta, 2 totp:<agent>   ARGV 1 idempotency key, 2 request hash, 3 the code's step
-- Answers {'ok'}; refused none (nothing was begun), active (it was before).
--@use idem
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local state = redis.call('HGET', KEYS[2], 's')
if not state then
	return { 'refused', 'none' }
end
if state == 'active' then
	return { 'refused', 'active' }
end
redis.call('HSET', KEYS[2], 's', 'active', 'u', ARGV[3])
return idem_keep(ARGV[1], ARGV[2], { 'ok' })
