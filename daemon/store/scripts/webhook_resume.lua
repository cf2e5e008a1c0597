#!lua
-- webhook_resume: an endpoint that was switched off, or that fails, is tried again at once, with all that waits (webhook_wake).
-- KEYS 1 meta   ARGV 1 idempotency key, 2 request hash, 3 endpoint
-- Answers {'ok'}, refused not_found.
--@use idem
--@use webhook
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
if call('HEXISTS', ws .. 'cfg:webhooks', ARGV[3]) == 0 then
	return { 'refused', 'not_found' }
end
local keys = webhook_keys(ARGV[3])

call('HDEL', keys.state, 'off', 'oa', 'ov', 'fs')
call('HSET', keys.state, 'rs', now, 'wk', 1)
return idem_keep(ARGV[1], ARGV[2], { 'ok' })
