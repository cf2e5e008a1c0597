#!lua
-- webhook_resume: an endpoint that was switched off, or that fails, is tried again at once, with up to 10,000 of what waits.
-- KEYS 1 meta   ARGV 1 idempotency key, 2 request hash, 3 endpoint
-- Answers {'ok', how many are due now}, refused not_found.
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
local waiting = call('ZRANGE', keys.waiting, 0, 9999)

for _, event in ipairs(waiting) do
	call('ZADD', keys.due, now, event)
	call('HSET', keys.one .. event, 'nx', now)
end
call('HDEL', keys.state, 'off', 'oa', 'ov', 'fs')
call('HSET', keys.state, 'rs', now)
return idem_keep(ARGV[1], ARGV[2], { 'ok', #waiting })
