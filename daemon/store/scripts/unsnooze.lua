#!lua flags=allow-oom
-- unsnooze: the wait is over (timer snooze:<wrk>:<v>).
-- KEYS 1 meta, 2 w:<wrk>   ARGV 1 wrk, 2 the timer
-- waiting -> assigned, or queued where its agent is offline
--@use log
--@use grace
--@use work
local w = item_read(ARGV[1])
local due = tonumber(call('ZSCORE', ws .. 'timers', ARGV[2]) or 0)
local here = w and w.a ~= '' and call('HGET', ws .. 'a:' .. w.a, 'st') ~= 'offline'
if not w or w.tm ~= ARGV[2] or w.s ~= 'waiting' then
	call('ZREM', ws .. 'timers', ARGV[2])
	return { 'refused', w and 'illegal_state' or 'not_found', w and w.s or '' }
end
if due > now then
	return { 'refused', 'early', w.s }
end

if here then
	item_move(w, 'assigned')
	item_take(w, w.a, w.cost, w.wc)
else
	item_move(w, 'queued')
	item_leave(w, 'waiting')
	item_queue(w, now)
end
item_log(w, 'waiting')
return item_answer(w)
