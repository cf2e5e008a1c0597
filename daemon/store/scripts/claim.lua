#!lua
-- claim: "give me the next". Takes the caller's own pending offer where it fits, else leaves a wish for the router.
-- KEYS 1 meta, 2 wish:<agent>, 3 a:<agent>
-- ARGV 1 agent, 2 request key, 3 queues (comma-separated, '' all), 4 ms to wait, 5 lease ms (0: a person),
--      6 channels (likewise, '' or absent all)
-- A repeated key: the same item, or the same wish. An item given to an earlier wish and never fetched comes first.
-- Answers the work scripts' answer, {'wish', deadline ms} or {'none'} for a key whose wish has ended.
-- Entry work_item.state (offered -> assigned) or wish.opened. Timer wish:<agent>.
--@use log
--@use grace
--@use work
local agent = ARGV[1]
local wish = call('HMGET', KEYS[2], 'key', 'w', 'end', 'got', 'dl')
if wish[1] == ARGV[2] or (wish[1] and wish[2] and not wish[4]) then
	local given = wish[2] and item_read(wish[2])
	if given and (wish[1] == ARGV[2] or (given.a == agent and given.s == 'assigned')) then
		call('HSET', KEYS[2], 'key', ARGV[2], 'got', 1)
		return item_answer(given)
	end
	if wish[1] == ARGV[2] then
		return wish[3] and { 'none' } or { 'wish', wish[5] }
	end
end
local off = call('HGET', KEYS[3], 'o')
local w, offers, mine
if off and off ~= '' then
	local o = call('HMGET', ws .. 'o:' .. off, 's', 'w', 'a')
	w = o[1] == 'pending' and o[3] == agent and item_read(o[2])
	local function fits(wanted, name)
		return wanted == '' or (',' .. wanted .. ','):find(',' .. name .. ',', 1, true)
	end
	if w and not (w.s == 'offered' and fits(ARGV[3], w.q) and fits(ARGV[6] or '', w.ch)) then
		w = nil
	end
	offers = w and offers_read(w) or {}
	for _, offer in ipairs(offers) do
		mine = offer[1] == off and offer or mine
	end
end

call('DEL', KEYS[2])
call('HSET', KEYS[3], 'seen', now)
if mine then
	item_move(w, 'assigned', 'o', '')
	item_unqueue(w)
	local pieces = item_accept(w, offers, mine)
	if ARGV[5] ~= '0' then
		call('HSET', ws .. 'w:' .. w.id, 'lx', now + ARGV[5])
		item_arm(w, 'lease:' .. w.id, now + ARGV[5])
	end
	call('HSET', KEYS[3], 'miss', 0)
	call('HSET', KEYS[2], 'key', ARGV[2], 'w', w.id, 'got', 1)
	call('EXPIRE', KEYS[2], 86400)
	call('ZREM', ws .. 'wishes', agent)
	call('ZREM', ws .. 'timers', 'wish:' .. agent)
	item_log(w, 'offered', off, item_extra(',"offer":"accepted"', pieces))
	return item_answer(w)
end
local deadline = now + ARGV[4]
call('HSET', KEYS[2], 'key', ARGV[2], 'qs', ARGV[3], 'dl', deadline, 'ct', now, 'ls', ARGV[5], 'chs',
	ARGV[6] or '')
call('ZADD', ws .. 'wishes', now, agent)
call('ZADD', ws .. 'timers', deadline + 5000, 'wish:' .. agent)
append('t', 'wish.opened', 'a', agent)
return { 'wish', deadline }
