#!lua flags=allow-oom
-- close: the item ends for good and its conversation closes; the next message opens a new item.
-- KEYS 1 meta, 2 w:<wrk>
-- ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent or '', 5 version or '', 6 reason,
--      7 timer close:<wrk>:<v>, or '' when a person asks
-- queued, assigned, waiting, wrapping, resolved -> closed (a resolved item by any agent of its queue). e.cc: the
-- conversation closed too.
--@use log
--@use idem
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local w = item_read(ARGV[3])
if ARGV[7] ~= '' and (not w or w.tm ~= ARGV[7] or tonumber(call('ZSCORE', ws .. 'timers', ARGV[7]) or 0) > now) then
	if not w or w.tm ~= ARGV[7] then
		call('ZREM', ws .. 'timers', ARGV[7])
	end
	return { 'refused', w and 'early' or 'not_found', w and w.s or '' }
end
local who = w and w.s == 'resolved' and '' or ARGV[4]
local refusal = item_check(w, who, ARGV[5], ' queued assigned waiting wrapping resolved ')
if refusal then
	return refusal
end
local ours = w.c ~= '' and call('HGET', ws .. 'c:' .. w.c, 'w') == w.id

local from = w.s
item_move(w, 'closed', 'rs', ARGV[6])
item_leave(w, from)
local ended = transfer_close(w, 'cancelled')
item_unqueue(w)
item_end(w, ours)
if ours then
	call('HSET', ws .. 'c:' .. w.c, 'w', '', 'lw', w.id, 's', 'closed', 'ut', now)
end
item_log(w, from, '', item_extra(ours and ',"cc":1' or '', ended))
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
