#!lua
-- accept: an agent takes the item that is offered to that agent.
-- KEYS 1 meta, 2 w:<wrk>   ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent, 5 version or ''
-- offered -> assigned; offer pending -> accepted, others of the item rescinded (e.rescinded), a transfer to its queue
-- accepted. Entry work_item.state with x and e.offer.
--@use log
--@use idem
--@use grace
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
local agent, offers, mine = ARGV[4], offers_read(w), nil
for _, offer in ipairs(offers) do
	mine = offer[2] == agent and offer or mine
end
if not mine then
	return { 'refused', 'not_assignee', w.s }
end

item_move(w, 'assigned', 'o', '')
item_unqueue(w)
local pieces = item_accept(w, offers, mine)
call('HSET', ws .. 'a:' .. agent, 'miss', 0)
item_log(w, 'offered', mine[1], item_extra(',"offer":"accepted"', pieces))
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
