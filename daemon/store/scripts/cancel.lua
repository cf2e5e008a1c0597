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
local offered = w.s == 'offered' and call('HGET', ws .. 'o:' .. w.o, 'a')
local ours = w.c ~= '' and call('HGET', ws .. 'c:' .. w.c, 'w') == w.id

local from, off = w.s, w.o
item_move(w, 'cancelled', 'rs', ARGV[6], 'o', '')
item_leave(w, from)
item_unqueue(w)
call('ZREM', ws .. 'wx', w.id)
if offered then
	call('HINCRBY', ws .. 'a:' .. offered, 'ld', 0 - w.cost)
	call('HSET', ws .. 'a:' .. offered, 'o', '')
	call('HSET', ws .. 'o:' .. off, 's', 'cancelled')
	call('EXPIRE', ws .. 'o:' .. off, 86400)
end
if ours then
	call('HSET', ws .. 'c:' .. w.c, 'w', '')
end
item_log(w, from, offered and off or '', offered and '{"offer":"cancelled"}' or '')
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
