#!lua flags=allow-oom
-- decline: an agent refuses the item that is offered to that agent; it goes back to its place in the queue.
-- KEYS 1 meta, 2 w:<wrk>   ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent, 5 version or '', 6 reason
-- offered -> queued (offered where another offer of it is out); offer pending -> declined. Entry work_item.state with x and e.offer.
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
local agent, offers, mine = ARGV[4], offers_read(w), nil
for _, offer in ipairs(offers) do
	mine = offer[2] == agent and offer or mine
end
if not mine then
	return { 'refused', 'not_assignee', w.s }
end

item_offer_back(w, offers, mine[1], true)
offer_close(w, mine, 'declined')
call('HSET', ws .. 'a:' .. agent, 'id', now)
call('HSET', ws .. 'o:' .. mine[1], 'rs', ARGV[6])
item_log(w, 'offered', mine[1], '{"offer":"declined"}', agent)
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
