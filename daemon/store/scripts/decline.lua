#!lua flags=allow-oom
-- decline: an agent refuses the item that is offered to that agent; it goes back to its place in the queue.
-- KEYS 1 meta, 2 w:<wrk>   ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent, 5 version or '', 6 reason
-- offered -> queued; offer pending -> declined. Entry work_item.state with x and e.offer.
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
local agent, off = ARGV[4], w.o
local o = call('HMGET', ws .. 'o:' .. off, 'a', 's')
if o[1] ~= agent or o[2] ~= 'pending' then
	return { 'refused', 'not_assignee', w.s }
end

item_move(w, 'queued', 'o', '', 'dn', (agent .. ' ' .. w.dn):sub(1, 400))
call('HINCRBY', ws .. 'a:' .. agent, 'ld', 0 - w.cost)
call('HSET', ws .. 'a:' .. agent, 'o', '', 'id', now)
call('HSET', ws .. 'o:' .. off, 's', 'declined', 'rs', ARGV[6])
call('EXPIRE', ws .. 'o:' .. off, 86400)
w.la = agent
item_log(w, 'offered', off, '{"offer":"declined"}')
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
