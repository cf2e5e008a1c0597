#!lua flags=allow-oom
-- claim_end: the wait is over or the client is gone: the wish is withdrawn, or the item it got is handed out.
-- KEYS 1 meta, 2 wish:<agent>   ARGV 1 agent, 2 request key ('' from the timer wish:<agent>),
--      3 gone: the client is, so an item it got is kept for the agent's next claim
-- Answers the work scripts' answer, {'withdrawn'} (the only 204) or {'none'} where the wish is not open.
-- Entry wish.ended where it was withdrawn.
--@use log
--@use work
local agent = ARGV[1]
local wish = call('HMGET', KEYS[2], 'key', 'w', 'end', 'dl')
local timer = ARGV[2] == ''
if not wish[1] or (not timer and wish[1] ~= ARGV[2]) then
	return { 'none' }
end
if wish[2] then
	local w = item_read(wish[2])
	if timer or not w then
		call('ZREM', ws .. 'timers', 'wish:' .. agent)
		return { 'none' }
	end
	if ARGV[3] ~= 'gone' then
		call('HSET', KEYS[2], 'got', 1)
	end
	return item_answer(w)
end
if wish[3] then
	return { 'withdrawn' }
end
if timer and tonumber(wish[4]) > now then
	return { 'none' }
end

call('HSET', KEYS[2], 'end', 1)
call('EXPIRE', KEYS[2], 86400)
call('ZREM', ws .. 'wishes', agent)
call('ZREM', ws .. 'timers', 'wish:' .. agent)
append('t', 'wish.ended', 'a', agent)
return { 'withdrawn' }
