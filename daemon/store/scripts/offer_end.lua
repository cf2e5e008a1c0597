#!lua flags=allow-oom
-- offer_end: a pending offer ends without the agent's answer: its time is over, or the router takes it back.
-- KEYS 1 meta, 2 lease:steward, 3 o:<off>   ARGV 1 fence, 2 off, 3 timeout, rescinded or cancelled
-- offered -> queued, in its old place. The third missed offer in a row makes the agent not routable (e.unroutable).
--@use log
--@use work
local fence = call('GET', KEYS[2])
if not fence or (fence ~= ARGV[1] and fence:sub(1, #ARGV[1] + 1) ~= ARGV[1] .. ' ') then
	return { 'refused', 'fence' }
end
local off, outcome = ARGV[2], ARGV[3]
local o = call('HMGET', KEYS[3], 's', 'w', 'a', 'ex')
if o[1] ~= 'pending' then
	call('ZREM', ws .. 'timers', 'offer:' .. off)
	return { 'refused', o[1] and 'illegal_state' or 'not_found', o[1] or '' }
end
if outcome == 'timeout' and tonumber(o[4]) > now then
	return { 'refused', 'early', 'pending' }
end
local w = item_read(o[2])
if not w or w.s ~= 'offered' or w.o ~= off then
	call('ZREM', ws .. 'timers', 'offer:' .. off)
	return { 'refused', 'illegal_state', w and w.s or '' }
end
local agent = o[3]
local missed = outcome == 'timeout' and tonumber(call('HGET', ws .. 'a:' .. agent, 'miss') or 0) + 1

item_move(w, 'queued', 'o', '', 'dn', outcome == 'timeout' and (agent .. ' ' .. w.dn):sub(1, 400) or w.dn)
call('HINCRBY', ws .. 'a:' .. agent, 'ld', 0 - w.cost)
call('HSET', ws .. 'a:' .. agent, 'o', '')
local extra = '{"offer":"' .. outcome .. '"}'
if missed then
	call('HSET', ws .. 'a:' .. agent, 'miss', missed)
	if missed >= 3 then
		call('HSET', ws .. 'a:' .. agent, 'rt', 0)
		extra = '{"offer":"timeout","unroutable":1}'
	end
end
call('HSET', KEYS[3], 's', outcome)
call('EXPIRE', KEYS[3], 86400)
w.la = agent
item_log(w, 'offered', off, extra)
return item_answer(w)
