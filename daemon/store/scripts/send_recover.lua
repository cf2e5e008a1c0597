#!lua flags=allow-oom
-- send_recover: a message found `sending` after its time, by another steward than the one who sent it where sending
-- twice does no harm, or sent by an instance that is dead: whoever sent it is gone.
-- KEYS 1 meta, 2 lease:steward, 3 oq:<cnv>   ARGV 1 fence, 2 cnv, 3 instances known to be dead, parted by spaces
-- sending -> queued where sends are idempotent, else -> uncertain (and the next one is due). A receipt that came
-- says it was sent. Entry message.delivery. Answers {'ok', state, msg} or {'wait', due ms}.
--@use log
--@use outbox
local fence = call('GET', KEYS[2])
if not fence or (fence ~= ARGV[1] and fence:sub(1, #ARGV[1] + 1) ~= ARGV[1] .. ' ') then
	return { 'refused', 'fence' }
end
local cnv = ARGV[2]
local msg = call('LINDEX', KEYS[3], 0)
local x = msg and call('HMGET', ws .. 'x:' .. msg, 's', 'n', 'at', 'id', 'fe', 'pt') or {}
if x[1] ~= 'sending' then
	return { 'refused', 'illegal_state', x[1] or '' }
end
local length = call('LLEN', KEYS[3])
local due = tonumber(call('ZSCORE', ws .. 'od', cnv) or 0)
local sender = (x[5] or ''):match(' .*$')
local is_dead = sender and (' ' .. ARGV[3] .. ' '):find(sender .. ' ', 1, true)
if due > now and not is_dead and (x[4] ~= '1' or x[5] == fence) then
	return { 'wait', due }
end
local old = call('HGET', ws .. 'y:' .. cnv, msg)
local ch = call('HGET', ws .. 'c:' .. cnv, 'ch') or ''

if x[4] == '1' and mark_rank(old) < 2 then
	call('HSET', ws .. 'x:' .. msg, 's', 'queued', 'tk', '')
	call('ZADD', ws .. 'od', now, cnv)
	outbox_step(cnv, msg, x[2], ch, 'sending', 'queued', 'queued', x[3])
	return { 'ok', 'queued', msg }
end
call('LPOP', KEYS[3])
outbox_next(cnv, length)
call('DEL', ws .. 'x:' .. msg)
if mark_rank(old) >= 2 then
	outbox_step(cnv, msg, x[2], ch, 'sending', mark_state(old), old, x[3])
	return { 'ok', mark_state(old), msg }
end
outbox_bury(cnv, msg, 'n', x[2], 'ch', ch, 'code', 'lost', 'why', 'the sender stopped before it had an answer', 'at',
	x[3], 'id', x[4] or '0', 'pt', x[6] or '0', 'm', 'uncertain')
outbox_step(cnv, msg, x[2], ch, 'sending', 'uncertain', 'uncertain lost the sender stopped before it had an answer', x[3])
return { 'ok', 'uncertain', msg }
