#!lua
-- transfer: the item is handed to a queue or to an agent. Until somebody there takes it, it stays with whom it is with.
-- KEYS 1 meta, 2 w:<wrk>, 3 t:<trf>
-- ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent or '', 5 version or '', 6 queue or agent, 7 the target,
--      8 trf, 9 ms to accept, 10 reason, 11 summary, 12 kind (transfer, escalation), 13 level of an escalation,
--      14 where it goes when nobody takes it: back, or a queue, 15 department or '', 16 urgency or '' (as it is),
--      17 minutes of priority to add
-- queue: queued, offered, assigned, waiting, wrapping -> queued there, its agent keeps it (a of the item). agent:
-- queued, offered, assigned, waiting stay as they are. Both leave a pending transfer (timer transfer:<trf>; entry
-- work_item.state with e.transfer, or transfer.state). A newer one replaces the pending one; only to ask a second
-- agent is refused: transfer_pending. Refused loop: the target has it already. (Out of an
-- agent's hands it may go back into its own queue, for somebody else.)
--@use log
--@use idem
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local w = item_read(ARGV[3])
local to_queue, target, trf, kind = ARGV[6] == 'queue', ARGV[7], ARGV[8], ARGV[12]
local refusal = item_check(w, ARGV[4], ARGV[5],
	to_queue and ' queued offered assigned waiting wrapping ' or ' queued offered assigned waiting ')
if refusal then
	return refusal
end
if w.tr ~= '' and not to_queue and kind == 'transfer' and call('HGET', ws .. 't:' .. w.tr, 'tk') == 'agent' then
	return { 'refused', 'transfer_pending', w.s }
end
local there = w.a
if to_queue then
	there = (w.s == 'queued' or w.s == 'offered') and w.q
end
if target == there then
	return { 'refused', 'loop', w.s }
end
local offers = to_queue and offers_read(w) or {}
local held = call('HMGET', KEYS[2], 'tc', 'el', 'eb', 'qe')
local chain, level = held[1], kind == 'escalation' and ARGV[13] or held[2] or 0

local from, due = w.s, now + ARGV[9]
local ended = transfer_close(w, 'cancelled')
call('HSET', KEYS[3], 's', 'pending', 'w', w.id, 'k', kind, 'from', w.a, 'fq', w.q, 'to', target, 'tk', ARGV[6], 'rs',
	ARGV[10], 'sum', ARGV[11], 'ct', now, 'ex', due, 'fb', ARGV[14], 'dp', ARGV[15], 'lv', ARGV[13],
	'eb', held[3] or 0, 'qe', held[4] or w.qt)
call('HSET', KEYS[2], 'tr', trf, 'sum', ARGV[11], 'tc', chain and (trf .. ' ' .. chain):sub(1, 929) or trf)
call('ZADD', ws .. 'timers', due, 'transfer:' .. trf)
if kind == 'escalation' then
	call('HSET', KEYS[2], 'el', ARGV[13], 'es', now)
	call('HINCRBY', KEYS[2], 'pr', ARGV[17])
end
if ARGV[16] ~= '' then
	call('HSET', KEYS[2], 'ur', ARGV[16])
end
if not to_queue then
	ask_note(target, trf, due)
end
local piece = ',"transfer":"pending","trf":"' .. trf .. '","kind":"' .. kind .. '"'
if to_queue then
	item_move(w, 'queued', 'q', target, 'rs', ARGV[10], 'o', '', 'qe', now, 'eb', level)
	local rescinded = offers_close(w, offers, 'rescinded')
	if from == 'wrapping' then
		item_leave(w, from)
	elseif from == 'waiting' and w.a ~= '' then
		call('HINCRBY', ws .. 'a:' .. w.a, 'ld', w.cost - w.wc)
	end
	item_unqueue(w)
	w.q = target
	item_queue(w)
	call('HDEL', KEYS[2], 'dn')
	item_log(w, from, trf, item_extra(piece, rescinded))
else
	append('t', 'transfer.state', 'w', w.id, 'c', w.c, 'u', w.u, 'a', target, 'q', w.q, 'ch', w.ch, 'f', '', 'o',
		'pending', 'v', w.v, 'x', trf, 'e', item_extra(piece))
end
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
