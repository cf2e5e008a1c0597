#!lua flags=allow-oom
-- consult_end: who was asked accepts or declines, the asker takes it back, its time is over, or the help is done.
-- Help lasts as long as the work and the helper do: its timer looks every meta.grace.
-- KEYS 1 meta, 2 t:<trf>
-- ARGV 1 idempotency key, 2 request hash, 3 trf, 4 agent or '', 5 accepted, declined, cancelled, timeout or ended
-- pending -> accepted (into co of the item), declined, cancelled, timeout; accepted -> ended (out of co), by timeout
-- where the item is over or the helper is offline, else {'ok', 'later'}.
-- Entry transfer.state, e.kind consult.
--@use log
--@use idem
--@use grace
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local trf, outcome = ARGV[3], ARGV[5]
local t = call('HMGET', KEYS[2], 's', 'w', 'from', 'to', 'ex')
local w = t[2] and item_read(t[2])
if outcome == 'timeout' and t[1] == 'accepted' then
	local live = w and (' queued offered assigned waiting wrapping '):find(' ' .. w.s .. ' ', 1, true)
	if tonumber(t[5]) > now then
		return { 'refused', 'early', 'accepted' }
	end
	if live and call('HGET', ws .. 'a:' .. t[4], 'st') ~= 'offline' then
		call('HSET', KEYS[2], 'ex', now + grace)
		call('ZADD', ws .. 'timers', now + grace, 'consult:' .. trf)
		return { 'ok', 'later' }
	end
	outcome = 'ended'
end
if t[1] ~= (outcome == 'ended' and 'accepted' or 'pending') then
	call('ZREM', ws .. 'timers', 'consult:' .. trf)
	return { 'refused', t[1] and 'illegal_state' or 'not_found', t[1] or '' }
end
local asker = outcome == 'cancelled' or outcome == 'ended'
if not w then
	call('ZREM', ws .. 'timers', 'consult:' .. trf)
	return { 'refused', 'not_found' }
end
if ARGV[4] ~= '' and ARGV[4] ~= t[4] and not (asker and (ARGV[4] == t[3] or ARGV[4] == w.a)) then
	return { 'refused', 'not_assignee', t[1] }
end
if outcome == 'timeout' and tonumber(t[5]) > now then
	return { 'refused', 'early', 'pending' }
end
local helpers = ''
for helper in (call('HGET', ws .. 'w:' .. w.id, 'co') or ''):gmatch('%S+') do
	if helper ~= t[4] then
		helpers = helpers .. (helpers == '' and '' or ' ') .. helper
	end
end
if outcome == 'accepted' then
	helpers = helpers == '' and t[4] or helpers .. ' ' .. t[4]
end

if outcome == 'accepted' then
	call('HSET', KEYS[2], 's', outcome, 'et', now, 'ex', now + grace)
	call('ZADD', ws .. 'timers', now + grace, 'consult:' .. trf)
else
	call('HSET', KEYS[2], 's', outcome, 'et', now)
	call('EXPIRE', KEYS[2], 604800)
	call('ZREM', ws .. 'timers', 'consult:' .. trf)
end
call('HSET', ws .. 'w:' .. w.id, 'co', helpers)
if outcome ~= 'ended' then
	call('HDEL', ws .. 'w:' .. w.id, 'cp')
end
append('t', 'transfer.state', 'w', w.id, 'c', w.c, 'u', w.u, 'a', t[4], 'q', w.q, 'ch', w.ch, 'f', t[1], 'o', outcome,
	'v', w.v, 'x', trf, 'e', '{"kind":"consult"}')
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
