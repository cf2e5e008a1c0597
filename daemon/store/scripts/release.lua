#!lua
-- release: the assignee (or a supervisor) gives the item back to its queue, at its old place.
-- KEYS 1 meta, 2 w:<wrk>
-- ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent or '', 5 version or '', 6 reason
-- assigned, waiting, wrapping -> queued
--@use log
--@use idem
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local w = item_read(ARGV[3])
local refusal = item_check(w, ARGV[4], ARGV[5], ' assigned waiting wrapping ')
if refusal then
	return refusal
end

local from = w.s
item_move(w, 'queued', 'rs', ARGV[6])
item_leave(w, from)
local ended = transfer_close(w, 'cancelled')
item_queue(w)
item_log(w, from, '', item_extra(ended))
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
