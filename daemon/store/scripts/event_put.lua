#!lua
-- event_put: what a shop or an application tells of a customer, for journeys.
-- KEYS 1 meta, 2 d: current generation, 3 d: previous one, 4 u:<cus>
-- ARGV 1 remembered number of its id, 2 seconds to keep the generation, 3 cus, 4 cev, 5 ms when it happened, 6 JSON, 7 type,
--      8 '1': a history is kept
-- Follows a redirect. The store keeps a customer's newest 100; the oldest goes only once the history has it. Entry customer.event,
-- x the event, e its type. Answers {'ok', cus}, {'known'}; refused not_found, behind (100 that the history has not got).
--@use log
--@use rest
--@use customer
if call('SISMEMBER', KEYS[2], ARGV[1]) == 1 or call('SISMEMBER', KEYS[3], ARGV[1]) == 1 then
	return { 'known' }
end
local cus = customer_now(ARGV[3])
if not cus then
	return { 'refused', 'not_found' }
end
local hash, order = ws .. 'ue:' .. cus, ws .. 'uv:' .. cus
local oldest
if call('ZCARD', order) >= 100 then
	oldest = call('ZRANGE', order, 0, 0, 'WITHSCORES')
	if ARGV[8] == '1' and not history_passed(tonumber(oldest[2])) then
		return { 'refused', 'behind' }
	end
end

if oldest then
	call('HDEL', hash, oldest[1])
	call('ZREM', order, oldest[1])
end
call('HSET', hash, ARGV[4], ARGV[5] .. ' ' .. ARGV[6])
call('ZADD', order, now, ARGV[4])
append('t', 'customer.event', 'u', cus, 'x', ARGV[4], 'e', '{"event":"' .. ARGV[7] .. '"}')
call('SADD', KEYS[2], ARGV[1])
call('EXPIRE', KEYS[2], ARGV[2])
return { 'ok', cus }
