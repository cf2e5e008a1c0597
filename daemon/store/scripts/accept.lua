#!lua
-- accept: an agent takes the item that is offered to that agent.
-- KEYS 1 meta, 2 w:<wrk>   ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent, 5 version or ''
-- offered -> assigned; offer pending -> accepted. Entry work_item.state with x and e.offer.
--@use log
--@use idem
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local w = item_read(ARGV[3])
local refusal = item_check(w, '', ARGV[5], ' offered ')
if refusal then
	return refusal
end
local off = w.o
local o = call('HMGET', ws .. 'o:' .. off, 'a', 's')
if o[1] ~= ARGV[4] or o[2] ~= 'pending' then
	return { 'refused', 'not_assignee', w.s }
end

item_move(w, 'assigned', 'o', '')
item_unqueue(w)
item_take(w, ARGV[4], w.cost, true)
call('HSET', ws .. 'a:' .. ARGV[4], 'o', '', 'miss', 0)
call('HSET', ws .. 'o:' .. off, 's', 'accepted')
call('EXPIRE', ws .. 'o:' .. off, 86400)
item_log(w, 'offered', off, '{"offer":"accepted"}')
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
