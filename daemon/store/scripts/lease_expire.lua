#!lua flags=allow-oom
-- lease_expire: a tool's claim was not extended (timer lease:<wrk>): back to the queue, at its old place.
-- KEYS 1 meta, 2 w:<wrk>   ARGV 1 wrk, 2 the timer
-- assigned -> queued
--@use log
--@use work
local w = item_read(ARGV[1])
if not w or w.tm ~= ARGV[2] or w.s ~= 'assigned' then
	call('ZREM', ws .. 'timers', ARGV[2])
	return { 'refused', w and 'illegal_state' or 'not_found', w and w.s or '' }
end
if w.lx ~= '' and tonumber(w.lx) > now then
	return { 'refused', 'early', w.s }
end

item_move(w, 'queued')
item_leave(w, 'assigned')
local ended = transfer_close(w, 'cancelled')
item_queue(w)
item_log(w, 'assigned', '', item_extra(',"lease":1', ended))
return item_answer(w)
