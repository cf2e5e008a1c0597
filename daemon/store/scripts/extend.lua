#!lua flags=allow-oom
-- extend: a tool keeps its claim for longer, or an agent needs more time to wrap up. Bookkeeping: no entry.
-- KEYS 1 meta, 2 w:<wrk>   ARGV 1 wrk, 2 agent, 3 ms a lease has from now, 4 ms more of wrap-up, 5 how often at most,
--      6 version or ''
-- assigned: the lease; wrapping: the timer. Refused no_lease (a person's work has none), no_more.
--@use log
--@use work
local w = item_read(ARGV[1])
local refusal = item_check(w, ARGV[2], ARGV[6] or '', ' assigned wrapping ')
if refusal then
	return refusal
end
if w.s == 'assigned' and w.lx == '' then
	return { 'refused', 'no_lease', w.s }
end
local due = w.s == 'wrapping' and call('ZSCORE', ws .. 'timers', w.tm)
local used = tonumber(call('HGET', KEYS[2], 'we') or 0)
if w.s == 'wrapping' and (not due or used >= tonumber(ARGV[5])) then
	return { 'refused', 'no_more', w.s }
end

if w.s == 'wrapping' then
	call('HSET', KEYS[2], 'we', used + 1)
	call('ZADD', ws .. 'timers', tonumber(due) + ARGV[4], w.tm)
else
	call('HSET', KEYS[2], 'lx', now + ARGV[3])
	item_arm(w, 'lease:' .. w.id, now + ARGV[3])
end
return item_answer(w)
