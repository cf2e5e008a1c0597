#!lua flags=allow-oom
-- offer_end: a pending offer ends without the agent's answer: its time is over, or the router takes it back.
-- KEYS 1 meta, 2 lease:steward, 3 o:<off>   ARGV 1 fence, 2 off, 3 timeout, rescinded or cancelled
-- offered -> queued, in its old place; still offered where another offer of it is out. Too many missed in a row make
-- the agent not routable (e.unroutable).
--@use log
--@use work
local fence = call('GET', KEYS[2])
if not fence or (fence ~= ARGV[1] and fence:sub(1, #ARGV[1] + 1) ~= ARGV[1] .. ' ') then
	return { 'refused', 'fence' }
end
local off, outcome = ARGV[2], ARGV[3]
local o = call('HMGET', KEYS[3], 's', 'w', 'a', 'ex', 'cost', 'mx')
if o[1] ~= 'pending' then
	call('ZREM', ws .. 'timers', 'offer:' .. off)
	return { 'refused', o[1] and 'illegal_state' or 'not_found', o[1] or '' }
end
if outcome == 'timeout' and tonumber(o[4]) > now then
	return { 'refused', 'early', 'pending' }
end
local w = item_read(o[2])
if not w or w.s ~= 'offered' or not (' ' .. w.o .. ' '):find(' ' .. off .. ' ', 1, true) then
	call('ZREM', ws .. 'timers', 'offer:' .. off)
	return { 'refused', 'illegal_state', w and w.s or '' }
end
local agent = o[3]
local offers = offers_read(w)
local missed = outcome == 'timeout' and tonumber(call('HGET', ws .. 'a:' .. agent, 'miss') or 0) + 1

item_offer_back(w, offers, off, outcome == 'timeout')
offer_close(w, { off, agent, tonumber(o[5]) or 0 }, outcome)
local extra = '{"offer":"' .. outcome .. '"}'
if missed then
	call('HSET', ws .. 'a:' .. agent, 'miss', missed)
	if o[6] ~= '0' and missed >= tonumber(o[6] or 3) then
		call('HSET', ws .. 'a:' .. agent, 'rt', 0)
		extra = '{"offer":"timeout","unroutable":1}'
	end
end
item_log(w, 'offered', off, extra, agent)
return item_answer(w)
