#!lua
-- assign: a supervisor gives the item to an agent, who need not accept; capacity is not asked.
-- KEYS 1 meta, 2 w:<wrk>, 3 t:<trf>
-- ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 '' (nobody but a supervisor), 5 version or '', 6 the agent,
--      7 cost of the item to that agent ('' as it is), 8 trf, 9 who did it, 10 reason,
--      11 what it costs while it waits ('' as it is)
-- queued, offered, assigned, waiting, wrapping -> assigned to the agent. Offers are rescinded and a pending transfer is
-- cancelled; the act is kept in the item's chain as an accepted transfer of kind assign. Refused loop.
--@use log
--@use idem
--@use grace
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local w = item_read(ARGV[3])
local refusal = item_check(w, ARGV[4], ARGV[5], ' queued offered assigned waiting wrapping ')
if refusal then
	return refusal
end
local agent, trf = ARGV[6], ARGV[8]
if w.s == 'assigned' and w.a == agent then
	return { 'refused', 'loop', w.s }
end
local offers = offers_read(w)
local chain = call('HGET', KEYS[2], 'tc')

local from, was = w.s, w.a
local pieces = transfer_close(w, 'cancelled')
item_move(w, 'assigned', 'o', '', 'rs', ARGV[10], 'wc', (ARGV[11] or '') ~= '' and ARGV[11] or w.wc, 'tc', chain and (trf .. ' ' .. chain):sub(1, 929) or trf)
pieces = pieces .. offers_close(w, offers, 'rescinded')
item_unqueue(w)
item_leave(w, from)
item_take(w, agent, tonumber(ARGV[7]) or math.max(w.cost, 1))
call('HSET', KEYS[3], 's', 'accepted', 'w', w.id, 'k', 'assign', 'from', was, 'fq', w.q, 'to', agent, 'tk', 'agent',
	'by', ARGV[9], 'rs', ARGV[10], 'ct', now, 'et', now)
call('EXPIRE', KEYS[3], 604800)
item_log(w, from, trf, item_extra(',"assign":1', (from == 'queued' or from == 'offered') and item_waited(w) or '', pieces, was ~= '' and ',"was":"' .. was .. '"' or ''))
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
