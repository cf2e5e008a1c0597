#!lua
-- webhook_resend: an event is delivered again, or now where it waits.
-- KEYS 1 meta   ARGV 1 idempotency key, 2 request hash, 3 endpoint, 4 event
-- delivered, dead -> waiting; waiting: due now. Answers {'ok', state before}, refused not_found (no such endpoint) or
-- no_such_delivery.
--@use idem
--@use webhook
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local event = ARGV[4]
local keys = webhook_keys(ARGV[3])
if call('HEXISTS', ws .. 'cfg:webhooks', ARGV[3]) == 0 then
	return { 'refused', 'not_found' }
end
local d = call('HMGET', keys.one .. event, 's', 'n')
if not d[1] then
	return { 'refused', 'no_such_delivery' }
end

if d[1] ~= 'waiting' then
	call('ZREM', keys[d[1] == 'delivered' and 'over' or 'dead'], event)
	call('ZADD', keys.waiting, d[2], event)
	call('HSET', keys.one .. event, 's', 'waiting', 'at', 0)
end
call('HSET', keys.one .. event, 'nx', now)
call('ZADD', keys.due, now, event)
return idem_keep(ARGV[1], ARGV[2], { 'ok', d[1] })
