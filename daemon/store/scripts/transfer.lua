#!lua
-- transfer: to another queue at once, or to an agent who must accept; until then the item stays where it is.
-- KEYS 1 meta, 2 w:<wrk>, 3 t:<trf>
-- ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent or '', 5 version or '', 6 queue or agent, 7 the target,
--      8 trf, 9 ms to accept, 10 reason, 11 summary
-- queue: queued, assigned, waiting, wrapping -> queued there. agent: a pending transfer (entry transfer.state,
-- timer transfer:<trf>); refused transfer_pending while there is one.
--@use log
--@use idem
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local w = item_read(ARGV[3])
local to_queue = ARGV[6] == 'queue'
local refusal = item_check(w, ARGV[4], ARGV[5],
	to_queue and ' queued assigned waiting wrapping ' or ' assigned waiting ')
if refusal then
	return refusal
end
local pending = call('HGET', KEYS[2], 'tr')
if not to_queue and pending and pending ~= '' then
	return { 'refused', 'transfer_pending', w.s }
end

if to_queue then
	local from = w.s
	item_move(w, 'queued', 'q', ARGV[7], 'rs', ARGV[10], 'sum', ARGV[11])
	item_leave(w, from)
	item_unqueue(w)
	w.q = ARGV[7]
	item_queue(w)
	call('HDEL', KEYS[2], 'dn')
	item_log(w, from, '', '{"transfer":"queue"}')
else
	local due = now + ARGV[9]
	call('HSET', KEYS[3], 's', 'pending', 'w', w.id, 'from', w.a, 'to', ARGV[7], 'rs', ARGV[10], 'sum', ARGV[11],
		'ct', now, 'ex', due)
	call('HSET', KEYS[2], 'tr', ARGV[8], 'sum', ARGV[11])
	call('ZADD', ws .. 'timers', due, 'transfer:' .. ARGV[8])
	append('t', 'transfer.state', 'w', w.id, 'c', w.c, 'u', w.u, 'a', ARGV[7], 'q', w.q, 'ch', w.ch, 'f', '', 'o',
		'pending', 'v', w.v, 'x', ARGV[8])
end
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
