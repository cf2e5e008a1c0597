#!lua
-- snooze: the item waits for somebody else; it keeps its agent, and costs less (`wc`).
-- KEYS 1 meta, 2 w:<wrk>
-- ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent or '', 5 version or '',
--      6 until, customer, third_party or department, 7 until when (unix ms)
-- assigned -> waiting; timer snooze:<wrk>:<v>
--@use log
--@use idem
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local w = item_read(ARGV[3])
local refusal = item_check(w, ARGV[4], ARGV[5], ' assigned ')
if refusal then
	return refusal
end
local due = tonumber(ARGV[7])
if due < now then
	return { 'refused', 'past', w.s }
end

item_move(w, 'waiting', 'wf', ARGV[6])
call('HINCRBY', ws .. 'a:' .. w.a, 'ld', w.wc - w.cost)
call('HSET', ws .. 'a:' .. w.a, 'id', now)
item_arm(w, 'snooze:' .. w.id .. ':' .. w.v, due)
item_log(w, 'assigned', '', '{"for":"' .. ARGV[6] .. '"}')
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
