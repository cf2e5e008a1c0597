#!lua flags=no-writes
-- standings_read: what agents are doing right now, to explain who could take an item.
-- KEYS 1 meta   ARGV ids of agents
-- Answers {{agent, status, routable 1/0, load, pending offer, channels}, ...}; channels: one for each item that is with
-- the agent and does not wait, parted by spaces.
local ws = KEYS[1]:sub(1, -5)
local agents = {}
for _, agent in ipairs(ARGV) do
	local a = redis.call('HMGET', ws .. 'a:' .. agent, 'st', 'rt', 'ld', 'o')
	local channels = {}
	for _, wrk in ipairs(redis.call('SMEMBERS', ws .. 'aw:' .. agent)) do
		local w = redis.call('HMGET', ws .. 'w:' .. wrk, 's', 'ch')
		if w[1] and w[1] ~= 'waiting' and w[2] and w[2] ~= '' then
			channels[#channels + 1] = w[2]
		end
	end
	agents[#agents + 1] = { agent, a[1] or 'offline', a[1] and a[2] or '0', a[3] or '0', a[4] or '', table.concat(channels, ' ') }
end
return agents
