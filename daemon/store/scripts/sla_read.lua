#!lua flags=no-writes
-- sla_read: what the clocks of an item depend on, in one instant.
-- KEYS 1 meta, 2 w:<wrk>
-- Answers state, queue, type, topic, urgency, channel, conversation, created ms, first response ms, agent, what it waits
-- for, its clocks and its customer's tier; '' where there is none.
local w = redis.call('HMGET', KEYS[2], 's', 'q', 'ty', 'tp', 'ur', 'ch', 'c', 'ct', 'fr', 'a', 'wf', 'sc', 'u')
for i = 1, 12 do
	w[i] = w[i] or ''
end
local customer = w[13]
w[13] = customer and customer ~= '' and redis.call('HGET', KEYS[1]:sub(1, -5) .. 'u:' .. customer, 'tier') or ''
return w
