#!lua flags=no-writes
-- live_read: queues and agents right now.
-- KEYS 1 meta   ARGV 1 how many queues, then their ids, then ids of agents
-- Answers {{{queue, waiting, oldest ms}, ...}, {{agent, status, routable 1/0, load, items}, ...}}.
local ws = KEYS[1]:sub(1, -5)
local count = tonumber(ARGV[1])
local queues, agents = {}, {}
for i = 2, count + 1 do
	local key = ws .. 'q:' .. ARGV[i]
	local first = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
	queues[#queues + 1] = { ARGV[i], redis.call('ZCARD', key), first[2] or '0' }
end
for i = count + 2, #ARGV do
	local a = redis.call('HMGET', ws .. 'a:' .. ARGV[i], 'st', 'rt', 'ld')
	agents[#agents + 1] = { ARGV[i], a[1] or 'offline', a[1] and a[2] or '0', a[3] or '0',
		redis.call('SCARD', ws .. 'aw:' .. ARGV[i]) }
end
return { queues, agents }
