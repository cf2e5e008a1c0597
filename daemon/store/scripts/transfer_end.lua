#!lua flags=allow-oom
-- transfer_end: the target accepts or declines, the sender takes it back, or its time is over.
-- KEYS 1 meta, 2 t:<trf>
-- ARGV 1 idempotency key, 2 request hash, 3 trf, 4 agent or '', 5 accepted, declined, cancelled or timeout
-- accepted: the item is assigned to the target (entry work_item.state, x, e.transfer); otherwise it stays where it
-- is (entry transfer.state pending -> ...).
--@use log
--@use idem
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local trf, outcome = ARGV[3], ARGV[5]
local o = call('HMGET', KEYS[2], 's', 'w', 'from', 'to', 'ex')
if o[1] ~= 'pending' then
	call('ZREM', ws .. 'timers', 'transfer:' .. trf)
	return { 'refused', o[1] and 'illegal_state' or 'not_found', o[1] or '' }
end
local who = outcome == 'cancelled' and o[3] or o[4]
if outcome ~= 'timeout' and ARGV[4] ~= '' and ARGV[4] ~= who then
	return { 'refused', 'not_assignee', 'pending' }
end
if outcome == 'timeout' and tonumber(o[5]) > now then
	return { 'refused', 'early', 'pending' }
end
local w = item_read(o[2])
if not w then
	return { 'refused', 'not_found' }
end
local stands = w.a == o[3] and (w.s == 'assigned' or w.s == 'waiting')
if outcome == 'accepted' and not stands then
	return illegal(w.s)
end

call('HSET', KEYS[2], 's', outcome)
call('EXPIRE', KEYS[2], 86400)
call('ZREM', ws .. 'timers', 'transfer:' .. trf)
call('HDEL', ws .. 'w:' .. w.id, 'tr')
if outcome == 'accepted' then
	local from = w.s
	item_move(w, 'assigned')
	item_leave(w, from)
	item_take(w, o[4], w.cost)
	item_log(w, from, trf, '{"transfer":"accepted"}')
else
	append('t', 'transfer.state', 'w', w.id, 'c', w.c, 'u', w.u, 'a', o[4], 'q', w.q, 'ch', w.ch, 'f', 'pending',
		'o', outcome, 'v', w.v, 'x', trf)
end
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
