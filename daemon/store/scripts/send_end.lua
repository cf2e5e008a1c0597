#!lua flags=allow-oom
-- send_end: how one attempt ended. Only the holder of the token says so.
-- KEYS 1 meta, 2 oq:<cnv>, 3 x:<msg>, and where the provider gave an id 4 r: bucket, 5 early:<hex> of it
-- ARGV 1 cnv, 2 msg, 3 token, 4 sent, retry, later, failed, uncertain or expired, 5 code, 6 why, 7 ms until the next attempt,
--      8 reference field ('' none), 9 prefix-less cnv and msg for it, 10 the provider's id
-- sending -> sent | queued (again later) | failed (dead letter) | uncertain (a person decides) | expired. All but
-- retry and later (it was not tried at all) pop the head and arm the next. A receipt that came first wins, also one that came before the provider's id
-- was known here (receipt_keep). A machine's message that is put off lets people's go first. Entry message.delivery.
-- Answers {'ok', state} or refused token.
--@use log
--@use outbox
local cnv, msg, outcome = ARGV[1], ARGV[2], ARGV[4]
local x = call('HMGET', KEYS[3], 's', 'tk', 'n', 'at', 'id', 'pt', 'mc')
if x[1] ~= 'sending' or x[2] ~= ARGV[3] then
	return { 'refused', x[1] and 'token' or 'not_found', x[1] or '' }
end
local head = call('LINDEX', KEYS[2], 0)
local length = call('LLEN', KEYS[2])
local old = call('HGET', ws .. 'y:' .. cnv, msg)
local c = call('HMGET', ws .. 'c:' .. cnv, 'ch', 'wd')
local ch = c[1] or ''
local early = ARGV[8] ~= '' and call('GET', KEYS[5])
if early and mark_rank(early) > mark_rank(old) then
	old = early
end
local goes_last = false
if outcome == 'later' and x[7] == '1' then
	for _, other in ipairs(call('LRANGE', KEYS[2], 0, 99)) do
		goes_last = goes_last or (other ~= msg and call('HGET', ws .. 'x:' .. other, 'mc') ~= '1')
	end
end
local kept = mark_rank(old) >= 2 and old
if kept then
	outcome = 'sent'
end

if ARGV[8] ~= '' and outcome == 'sent' then
	call('HSET', KEYS[4], ARGV[8], ARGV[9] .. ' ' .. x[3])
	call('HSET', ws .. 'y:' .. cnv, msg .. '.id', ARGV[10])
	call('DEL', KEYS[5])
end
if outcome == 'sent' or outcome == 'uncertain' then
	window_use(cnv, c[2])
end
if outcome == 'retry' then
	call('HSET', KEYS[3], 's', 'queued', 'er', (ARGV[5] .. ' ' .. ARGV[6]):sub(1, 300), 'tk', '', 'hd', '')
	call('ZADD', ws .. 'od', now + ARGV[7], cnv)
	outbox_step(cnv, msg, x[3], ch, 'sending', 'queued', 'queued ' .. ARGV[5] .. ' ' .. ARGV[6], x[4])
	return { 'ok', 'queued' }
end
if outcome == 'later' then
	call('HSET', KEYS[3], 's', 'queued', 'er', (ARGV[5] .. ' ' .. ARGV[6]):sub(1, 300), 'tk', '', 'hd', x[7] or '', 'at', x[4] - 1)
	if goes_last then
		call('LREM', KEYS[2], 1, msg)
		call('RPUSH', KEYS[2], msg)
	end
	call('ZADD', ws .. 'od', now + (goes_last and 0 or ARGV[7]), cnv)
	outbox_step(cnv, msg, x[3], ch, 'sending', 'queued', 'queued ' .. ARGV[5] .. ' ' .. ARGV[6], x[4] - 1)
	return { 'ok', 'queued' }
end
if head == msg then
	call('LPOP', KEYS[2])
else
	call('LREM', KEYS[2], 1, msg)
end
outbox_next(cnv, length)
call('DEL', KEYS[3])
if kept == early and mark_state(early) == 'failed' then
	outbox_bury(cnv, msg, 'n', x[3], 'ch', ch, 'code', 'receipt', 'why', early:sub(8), 'at', x[4], 'id', x[5] or '0', 'm',
		'failed')
end
if outcome == 'sent' then
	outbox_step(cnv, msg, x[3], ch, 'sending', kept and mark_state(kept) or 'sent', kept or 'sent', x[4])
	return { 'ok', kept and mark_state(kept) or 'sent' }
end
outbox_bury(cnv, msg, 'n', x[3], 'ch', ch, 'code', ARGV[5], 'why', ARGV[6], 'at', x[4], 'id', x[5] or '0', 'pt', x[6] or '0',
	'm', outcome)
outbox_step(cnv, msg, x[3], ch, 'sending', outcome, outcome .. ' ' .. ARGV[5] .. ' ' .. ARGV[6], x[4])
return { 'ok', outcome }
