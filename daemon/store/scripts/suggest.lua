#!lua
-- suggest: two customers may be one person.
-- KEYS 1 meta, 2 sg:<cus>, 3 sg:<other>   ARGV 1 cus, 2 other, 3 score, 4 evidence (JSON objects parted by commas)
-- Entry customer.updated for both. Answers {'ok'}, {'known'} where a person decided about the two, or refused not_found or moved.
--@use log
--@use suggest
local a, b, score = ARGV[1], ARGV[2], tonumber(ARGV[3])
if a == b then
	return { 'known' }
end
for i = 1, 2 do
	local u = redis.call('HMGET', ws .. 'u:' .. ARGV[i], 'ct', 'to')
	if not u[1] or u[2] then
		return { 'refused', u[2] and 'moved' or 'not_found', ARGV[i] }
	end
end
local of_a, of_b = suggestion_room(a, b, score), suggestion_room(b, a, score)
if not of_a or not of_b then
	return { 'known' }
end
if (redis.call('HGET', KEYS[2], b) or ''):find(ARGV[4], 1, true) and (redis.call('HGET', KEYS[3], a) or ''):find(ARGV[4], 1, true) then
	return { 'ok' }
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

suggestion_put(a, b, of_a, score, ARGV[4], now)
suggestion_put(b, a, of_b, score, ARGV[4], now)
return { 'ok' }
