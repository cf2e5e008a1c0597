#!lua flags=allow-oom
-- cancel: the item should never have been, or is no longer wanted.
-- KEYS 1 meta, 2 w:<wrk>
-- ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 agent or '', 5 version or '', 6 reason
-- new, queued, offered, assigned, waiting -> cancelled; a pending offer is cancelled with it
--@use log
--@use idem
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local w = item_read(ARGV[3])
local refusal = item_check(w, ARGV[4], ARGV[5], ' new queued offered assigned waiting ')
if refusal then
	return refusal
end
local offers = offers_read(w)
local ours = w.c ~= '' and call('HGET', ws .. 'c:' .. w.c, 'w') == w.id

local from = w.s
item_move(w, 'cancelled', 'rs', ARGV[6], 'o', '')
item_leave(w, from)
local pieces = offers_close(w, offers, 'cancelled') .. transfer_close(w, 'cancelled')
item_unqueue(w)
item_end(w, ours)
if ours then
	call('HSET', ws .. 'c:' .. w.c, 'w', '', 'lw', w.id)
end
item_log(w, from, offers[1] and offers[1][1] or '', item_extra(offers[1] and ',"offer":"cancelled"' or '', pieces))
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
