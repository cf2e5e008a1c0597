#!lua
-- webhook_wake: after a resume, up to 1,000 more of what waits for its time are due now.
-- KEYS 1 meta   ARGV 1 endpoint
-- Answers {'ok', how many}.
--@use webhook
local keys = webhook_keys(ARGV[1])
local events = call('ZRANGEBYSCORE', keys.due, '(' .. now, '+inf', 'LIMIT', 0, 1000)

for _, event in ipairs(events) do
	call('ZADD', keys.due, now, event)
	call('HSET', keys.one .. event, 'nx', now)
end
if #events < 1000 then
	call('HDEL', keys.state, 'wk')
end
return { 'ok', #events }
