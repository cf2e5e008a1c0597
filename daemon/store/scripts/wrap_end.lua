#!lua flags=allow-oom
-- wrap_end: the wrap-up time is over (timer wrap:<wrk>:<v>).
-- KEYS 1 meta, 2 w:<wrk>   ARGV 1 wrk, 2 the timer
-- wrapping -> resolved
--@use log
--@use work
local w = item_read(ARGV[1])
local due = tonumber(call('ZSCORE', ws .. 'timers', ARGV[2]) or 0)
local close = call('HGET', KEYS[2], 'cl')
if not w or w.tm ~= ARGV[2] or w.s ~= 'wrapping' then
	call('ZREM', ws .. 'timers', ARGV[2])
	return { 'refused', w and 'illegal_state' or 'not_found', w and w.s or '' }
end
if due > now then
	return { 'refused', 'early', w.s }
end

item_move(w, 'resolved')
item_leave(w, 'wrapping')
if close and close ~= '0' then
	item_arm(w, 'close:' .. w.id .. ':' .. w.v, now + close)
end
item_log(w, 'wrapping')
return item_answer(w)
