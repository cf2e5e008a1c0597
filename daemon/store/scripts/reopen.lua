#!lua
-- reopen: more to do. A resolved item queues again and remembers its agent; a waiting or wrapping one comes back.
-- KEYS 1 meta, 2 w:<wrk>
-- ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent or '', 5 version or '', 6 reason
-- resolved -> queued; waiting, wrapping -> assigned (queued where its agent is offline)
--@use log
--@use idem
--@use grace
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local w = item_read(ARGV[3])
local who = w and w.s == 'resolved' and '' or ARGV[4]
local refusal = item_check(w, who, ARGV[5], ' resolved waiting wrapping ')
if refusal then
	return refusal
end
local from = w.s
local here = w.a ~= '' and call('HGET', ws .. 'a:' .. w.a, 'st') ~= 'offline'

if here then
	item_move(w, 'assigned', 'rs', ARGV[6])
	item_take(w, w.a, w.cost, from == 'wrapping' and w.cost or w.wc)
else
	item_move(w, 'queued', 'rs', ARGV[6])
	item_leave(w, from)
	item_queue(w, now)
end
item_log(w, from)
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
