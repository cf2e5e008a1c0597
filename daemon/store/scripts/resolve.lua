#!lua flags=allow-oom
-- resolve: the work is done.
-- KEYS 1 meta, 2 w:<wrk>
-- ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent or '', 5 version or '', 6 reason, 7 note's msg or '',
--      8 wrap-up ms, 9 ms until a resolved item closes by itself (0: never)
-- assigned -> wrapping (with a wrap-up time) or resolved; queued (supervisor), waiting, wrapping -> resolved
--@use log
--@use idem
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local w = item_read(ARGV[3])
local refusal = item_check(w, ARGV[4], ARGV[5], ' queued assigned waiting wrapping ')
if refusal then
	return refusal
end

local from, ended = w.s, ''
if from == 'assigned' and tonumber(ARGV[8]) > 0 then
	item_move(w, 'wrapping', 'rs', ARGV[6], 'nt', ARGV[7], 'cl', ARGV[9], 'we', 0)
	item_arm(w, 'wrap:' .. w.id .. ':' .. w.v, now + ARGV[8])
else
	item_move(w, 'resolved', 'rs', ARGV[6], 'nt', ARGV[7], 'co', '')
	item_leave(w, from)
	ended = transfer_close(w, 'cancelled')
	if from == 'queued' then
		item_unqueue(w)
	end
	if ARGV[9] ~= '0' then
		item_arm(w, 'close:' .. w.id .. ':' .. w.v, now + ARGV[9])
	end
end
item_log(w, from, '', item_extra(ended))
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
