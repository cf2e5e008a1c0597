#!lua
-- dead_redrive: a failed or expired message is sent again, at the end of its conversation's outbox.
-- KEYS 1 meta, 2 dead:<msg>, 3 x:<msg>   ARGV 1 idempotency key, 2 request hash, 3 msg
-- failed, expired -> queued; dead letter dead -> redriven. Entry message.delivery.
--@use log
--@use idem
--@use outbox
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local msg = ARGV[3]
local d = call('HMGET', KEYS[2], 's', 'c', 'n', 'ch', 'id', 'm', 'pt')
if not d[1] then
	return { 'refused', 'not_found' }
end
if d[1] ~= 'dead' or d[6] == 'uncertain' then
	return { 'refused', 'illegal_state', d[1] == 'dead' and d[6] or d[1] }
end
local waiting = call('LLEN', ws .. 'oq:' .. d[2])

call('HSET', KEYS[2], 's', 'redriven')
call('EXPIRE', KEYS[2], 604800)
call('ZREM', ws .. 'dead', msg)
call('HSET', KEYS[3], 's', 'queued', 'c', d[2], 'n', d[3], 'at', 0, 'ct', now, 'id', d[5] or '0', 'ex', 0,
	'pt', d[7] or 0)
call('RPUSH', ws .. 'oq:' .. d[2], msg)
if waiting == 0 then
	call('ZADD', ws .. 'od', now, d[2])
end
outbox_step(d[2], msg, d[3], d[4] or '', d[6] or 'failed', 'queued', 'queued', 0)
return idem_keep(ARGV[1], ARGV[2], { 'ok', 'queued', msg })
