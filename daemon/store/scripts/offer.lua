#!lua
-- offer: the router proposes, this disposes. An agent with an open wish gets the item at once.
-- KEYS 1 meta, 2 lease:steward, 3 w:<wrk>
-- ARGV 1 fence, 2 wrk, 3 version, 4 agent, 5 off, 6 ms to accept, 7 capacity of the agent, 8 cost of the item,
--      9 offers of one item at the same time, 10 missed offers in a row that make the agent not routable (0: never),
--      11 what the item costs while it waits, 12 load of the agent that the choice was made for ('' any)
-- queued, offered -> offered (entry offer.created) or, for a wish, -> assigned (entry work_item.state with e.wish).
-- Refusals beside the usual: fence, offline, capacity, busy (has an offer), filter (the wish wants other queues or channels),
-- changed (another load),
-- holder (the item is transferred away from that agent, who may still claim it), offers (as many as may be are out).
--@use log
--@use grace
--@use work
local fence = call('GET', KEYS[2])
if not fence or (fence ~= ARGV[1] and fence:sub(1, #ARGV[1] + 1) ~= ARGV[1] .. ' ') then
	return { 'refused', 'fence' }
end
local w = item_read(ARGV[2])
local refusal = item_check(w, '', ARGV[3], ' queued offered ')
if refusal then
	return refusal
end
local agent, off, cost = ARGV[4], ARGV[5], tonumber(ARGV[8])
local a = call('HMGET', ws .. 'a:' .. agent, 'st', 'rt', 'ld', 'o')
local wish = call('HMGET', ws .. 'wish:' .. agent, 'key', 'qs', 'dl', 'w', 'end', 'ls', 'chs')
local wished = wish[1] and not wish[4] and not wish[5] and tonumber(wish[3]) > now
if wished and wish[2] ~= '' and not (',' .. wish[2] .. ','):find(',' .. w.q .. ',', 1, true) then
	return { 'refused', 'filter' }
end
if wished and (wish[7] or '') ~= '' and not (',' .. wish[7] .. ','):find(',' .. w.ch .. ',', 1, true) then
	return { 'refused', 'filter' }
end
if not wished and (a[1] ~= 'online' or a[2] == '0') then
	return { 'refused', 'offline' }
end
if not wished and a[4] and a[4] ~= '' then
	return { 'refused', 'busy' }
end
if ARGV[12] and ARGV[12] ~= '' and ARGV[12] ~= (a[3] or '0') then
	return { 'refused', 'changed' }
end
if tonumber(a[3] or 0) + cost > tonumber(ARGV[7]) then
	return { 'refused', 'capacity' }
end
if w.a == agent and not wished then
	return { 'refused', 'holder' }
end
local offers = offers_read(w)
if not wished and #offers >= tonumber(ARGV[9]) then
	return { 'refused', 'offers' }
end
local from, waiting = w.s, ARGV[11] or 0

if wished then
	item_move(w, 'assigned', 'o', '', 'wc', waiting)
	item_unqueue(w)
	local rescinded = offers_close(w, offers, 'rescinded')
	local accepted = w.a ~= '' and ',"was":"' .. w.a .. '"' or ''
	item_leave(w, 'queued')
	accepted = accepted .. transfer_close(w, 'accepted')
	item_take(w, agent, cost)
	if wish[6] and wish[6] ~= '0' then
		call('HSET', KEYS[3], 'lx', now + wish[6])
		item_arm(w, 'lease:' .. w.id, now + wish[6])
	end
	call('HSET', ws .. 'wish:' .. agent, 'w', w.id)
	call('EXPIRE', ws .. 'wish:' .. agent, 86400)
	call('ZREM', ws .. 'wishes', agent)
	call('ZREM', ws .. 'timers', 'wish:' .. agent)
	item_log(w, from, '', item_extra(',"wish":1', item_waited(w), rescinded, accepted))
	return item_answer(w)
end
local due = now + ARGV[6]
item_move(w, 'offered', 'o', w.o == '' and off or w.o .. ' ' .. off, 'wc', waiting)
call('ZADD', ws .. 'timers', due, 'offer:' .. off)
call('HSET', ws .. 'o:' .. off, 's', 'pending', 'w', w.id, 'a', agent, 'q', w.q, 'ct', now, 'ex', due, 'cost', cost,
	'mx', ARGV[10])
call('HSET', ws .. 'a:' .. agent, 'o', off)
call('HINCRBY', ws .. 'a:' .. agent, 'ld', cost)
append('t', 'offer.created', 'w', w.id, 'c', w.c, 'u', w.u, 'a', agent, 'q', w.q, 'ch', w.ch, 'f', from,
	'o', 'offered', 'v', w.v, 'x', off)
return item_answer(w)
