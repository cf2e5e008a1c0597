#!lua flags=no-writes
-- webhook_list: one page of the deliveries of an endpoint, in the order in which the events were copied.
-- KEYS 1 meta   ARGV 1 endpoint, 2 all, waiting, delivered or dead, 3 'asc' or 'desc', 4 limit (at most 200),
--               5 number of the last one seen, '' at the start
-- Answers {cursor ('' on the last page), {event, HGETALL}, ...}; {} where there is no such endpoint.
--@use webhook
if call('HEXISTS', ws .. 'cfg:webhooks', ARGV[1]) == 0 then
	return {}
end
local keys = webhook_keys(ARGV[1])
local key = keys[ARGV[2] == 'delivered' and 'over' or ARGV[2]]
local limit = tonumber(ARGV[4])
local from = ARGV[5] == '' and '' or '(' .. ARGV[5]
local page
if ARGV[3] == 'asc' then
	page = call('ZRANGEBYSCORE', key, from == '' and '-inf' or from, '+inf', 'WITHSCORES', 'LIMIT', 0, limit + 1)
else
	page = call('ZREVRANGEBYSCORE', key, from == '' and '+inf' or from, '-inf', 'WITHSCORES', 'LIMIT', 0, limit + 1)
end
local answer = { '' }
for i = 1, #page, 2 do
	if #answer > limit then
		answer[1] = page[i - 1]
		return answer
	end
	answer[#answer + 1] = { page[i], call('HGETALL', keys.one .. page[i]) }
end
return answer
