#!lua
-- consult: a second agent is asked to help, with a note; the item stays with its agent. A supervisor may join unasked.
-- KEYS 1 meta, 2 w:<wrk>, 3 t:<trf>
-- ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent or '', 5 version or '', 6 who is asked, 7 trf, 8 ms to answer
--      (0: joins at once), 9 the note
-- assigned, waiting (to join: also queued, offered, wrapping) stay. A pending consultation (timer consult:<trf>), or an
-- accepted one: the agent is in co of the item. Entry transfer.state, e.kind consult. Refused consult_pending, joined.
--@use log
--@use idem
--@use grace
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local w = item_read(ARGV[3])
local joins = ARGV[8] == '0'
local refusal = item_check(w, ARGV[4], ARGV[5],
	joins and ' queued offered assigned waiting wrapping ' or ' assigned waiting ')
if refusal then
	return refusal
end
local held = call('HMGET', KEYS[2], 'cp', 'co', 'tc')
local helpers = held[2] or ''
if not joins and held[1] and held[1] ~= '' then
	return { 'refused', 'consult_pending', w.s }
end
if ARGV[6] == w.a or (' ' .. helpers .. ' '):find(' ' .. ARGV[6] .. ' ', 1, true) then
	return { 'refused', 'joined', w.s }
end

local trf, state = ARGV[7], joins and 'accepted' or 'pending'
local due = now + (joins and grace or ARGV[8])
call('HSET', KEYS[3], 's', state, 'w', w.id, 'k', 'consult', 'from', w.a, 'fq', w.q, 'to', ARGV[6], 'tk', 'agent', 'sum',
	ARGV[9], 'ct', now, 'ex', due)
call('ZADD', ws .. 'timers', due, 'consult:' .. trf)
call('HSET', KEYS[2], 'tc', held[3] and (trf .. ' ' .. held[3]):sub(1, 929) or trf)
if joins then
	call('HSET', KEYS[2], 'co', helpers == '' and ARGV[6] or (helpers .. ' ' .. ARGV[6]):sub(-400))
else
	call('HSET', KEYS[2], 'cp', trf)
	ask_note(ARGV[6], trf, due)
end
append('t', 'transfer.state', 'w', w.id, 'c', w.c, 'u', w.u, 'a', ARGV[6], 'q', w.q, 'ch', w.ch, 'f', '', 'o', state,
	'v', w.v, 'x', trf, 'e', '{"kind":"consult"}')
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
