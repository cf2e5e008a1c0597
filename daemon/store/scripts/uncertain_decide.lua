#!lua
-- uncertain_decide: a person says what became of a message whose answer was lost.
-- KEYS 1 meta, 2 dead:<msg>, 3 x:<msg>   ARGV 1 idempotency key, 2 request hash, 3 msg, 4 resend, sent or failed, 5 agent ('' may decide of
--      what another agent has, as may reply)
-- uncertain -> queued | sent | failed (stays a dead letter). Entry message.delivery. Answers {'ok', state, msg}; refused not_found,
-- illegal_state, not_assignee.
--@use log
--@use idem
--@use outbox
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local msg, decision = ARGV[3], ARGV[4]
local d = call('HMGET', KEYS[2], 's', 'c', 'n', 'ch', 'id', 'm', 'pt')
if not d[1] then
	return { 'refused', 'not_found' }
end
if d[1] ~= 'dead' or d[6] ~= 'uncertain' then
	return { 'refused', 'illegal_state', d[1] == 'dead' and d[6] or d[1] }
end
local item = call('HGET', ws .. 'c:' .. d[2], 'w')
local holder = item and item ~= '' and call('HGET', ws .. 'w:' .. item, 'a') or ''
if (ARGV[5] or '') ~= '' and holder ~= '' and holder ~= ARGV[5] then
	return { 'refused', 'not_assignee', 'uncertain' }
end
local waiting = call('LLEN', ws .. 'oq:' .. d[2])

if decision == 'failed' then
	call('HSET', KEYS[2], 'm', 'failed')
	outbox_step(d[2], msg, d[3], d[4] or '', 'uncertain', 'failed', 'failed decided', 0)
	return idem_keep(ARGV[1], ARGV[2], { 'ok', 'failed', msg })
end
call('HSET', KEYS[2], 's', 'redriven')
call('EXPIRE', KEYS[2], 604800)
call('ZREM', ws .. 'dead', msg)
if decision == 'sent' then
	outbox_step(d[2], msg, d[3], d[4] or '', 'uncertain', 'sent', 'sent', 0)
	return idem_keep(ARGV[1], ARGV[2], { 'ok', 'sent', msg })
end
call('HSET', KEYS[3], 's', 'queued', 'c', d[2], 'n', d[3], 'at', 0, 'ct', now, 'id', d[5] or '0', 'ex', 0,
	'pt', d[7] or 0)
call('RPUSH', ws .. 'oq:' .. d[2], msg)
if waiting == 0 then
	call('ZADD', ws .. 'od', now, d[2])
end
outbox_step(d[2], msg, d[3], d[4] or '', 'uncertain', 'queued', 'queued', 0)
return idem_keep(ARGV[1], ARGV[2], { 'ok', 'queued', msg })
