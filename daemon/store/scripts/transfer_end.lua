#!lua flags=allow-oom
-- transfer_end: a pending transfer ends: the target accepts or declines, the sender takes it back, or its time is over.
-- KEYS 1 meta, 2 t:<trf>
-- ARGV 1 idempotency key, 2 request hash, 3 trf, 4 agent or '', 5 accepted, declined, cancelled or timeout,
--      6 capacity of the target ('' no limit), 7 cost of the item to it ('' as it is), 8 and while it waits
-- accepted (of one to an agent): queued, offered, assigned, waiting -> assigned to the target. Otherwise the item goes
-- where the transfer's fallback says: to the agent who still has it (queued, offered -> assigned), else to the queue
-- it came from, or to another queue. Entry work_item.state, x, e.transfer; transfer.state where the item stays as it is.
-- One to a queue is accepted by whoever takes the item (accept, claim, offer).
--@use log
--@use idem
--@use grace
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local trf, outcome = ARGV[3], ARGV[5]
local t = call('HMGET', KEYS[2], 's', 'w', 'from', 'to', 'ex', 'tk', 'fb', 'fq', 'eb', 'qe')
if t[1] ~= 'pending' then
	call('ZREM', ws .. 'timers', 'transfer:' .. trf)
	return { 'refused', t[1] and 'illegal_state' or 'not_found', t[1] or '' }
end
local to_queue, fallback = t[6] == 'queue', t[7] or 'back'
local who = outcome == 'cancelled' and t[3] or (to_queue and '' or t[4])
if outcome ~= 'timeout' and ARGV[4] ~= '' and ARGV[4] ~= who then
	return { 'refused', 'not_assignee', 'pending' }
end
if outcome == 'timeout' and tonumber(t[5]) > now then
	return { 'refused', 'early', 'pending' }
end
local w = item_read(t[2])
if not w then
	call('ZREM', ws .. 'timers', 'transfer:' .. trf)
	return { 'refused', 'not_found' }
end
local live = (' queued offered assigned waiting '):find(' ' .. w.s .. ' ', 1, true)
if outcome == 'accepted' and (to_queue or not live) then
	return illegal(w.s)
end
local cost = tonumber(ARGV[7]) or math.max(w.cost, 1)
if outcome == 'accepted' and ARGV[6] ~= '' and
	tonumber(call('HGET', ws .. 'a:' .. t[4], 'ld') or 0) + cost > tonumber(ARGV[6]) then
	return { 'refused', 'capacity', w.s }
end
local offers = offers_read(w)
-- Back in its queue it stands as before, for the next level; another queue begins anew.
local before_level, before_time = t[9] or 0, t[10] or w.qt
if fallback ~= 'back' then
	before_level, before_time = call('HGET', ws .. 'w:' .. w.id, 'el') or 0, now
end
-- Where it goes without being accepted: nil is where it is.
local back
if outcome ~= 'accepted' and live and w.tr == trf then
	local away = to_queue and (w.s == 'queued' or w.s == 'offered')
	if fallback ~= 'back' and (away or w.s == 'queued' or w.s == 'offered' or w.s == 'assigned') then
		back = fallback ~= w.q and fallback or nil
	elseif away and w.a ~= '' and call('HGET', ws .. 'a:' .. w.a, 'st') ~= 'offline' then
		back = ''
	elseif away then
		back = t[8] or w.q
	end
end

w.tr = trf
local from, pieces = w.s, transfer_close(w, outcome)
if outcome == 'accepted' then
	local was = w.a
	item_move(w, 'assigned', 'o', '', 'wc', (ARGV[8] or '') ~= '' and ARGV[8] or w.wc)
	pieces = pieces .. offers_close(w, offers, 'rescinded')
	item_unqueue(w)
	item_leave(w, from)
	item_take(w, t[4], cost)
	item_log(w, from, trf, item_extra((from == 'queued' or from == 'offered') and item_waited(w) or '', pieces,
		was ~= '' and ',"was":"' .. was .. '"' or ''))
elseif back == '' then
	item_move(w, 'assigned', 'o', '', 'q', t[8] or w.q, 'eb', before_level, 'qe', before_time)
	pieces = pieces .. offers_close(w, offers, 'rescinded')
	item_unqueue(w)
	w.q = t[8] or w.q
	call('ZADD', ws .. 'timers', 'NX', now + grace, 'gone:' .. w.a)
	item_log(w, from, trf, item_extra(pieces))
elseif back then
	local was = w.a
	item_move(w, 'queued', 'o', '', 'q', back, 'eb', before_level, 'qe', before_time)
	pieces = pieces .. offers_close(w, offers, 'rescinded')
	item_leave(w, from)
	item_unqueue(w)
	w.q = back
	item_queue(w)
	item_log(w, from, trf, item_extra(pieces, was ~= '' and ',"was":"' .. was .. '"' or ''))
else
	append('t', 'transfer.state', 'w', w.id, 'c', w.c, 'u', w.u, 'a', to_queue and w.a or t[4], 'q', w.q, 'ch', w.ch, 'f', 'pending',
		'o', outcome, 'v', w.v, 'x', trf)
end
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
