#!lua flags=allow-oom
-- webhook_forget: the outbox of an endpoint that is configured no more leaves, at most 500 deliveries a call.
-- KEYS 1 meta   ARGV 1 endpoint
-- Answers {'ok', how many are left}, refused illegal_state where it is configured.
--@use webhook
if call('HEXISTS', ws .. 'cfg:webhooks', ARGV[1]) == 1 then
	return { 'refused', 'illegal_state' }
end
local keys = webhook_keys(ARGV[1])
local events = call('ZRANGE', keys.all, 0, 499)
local left = call('ZCARD', keys.all) - #events

for _, event in ipairs(events) do
	call('ZREM', keys.waiting, event)
	call('ZREM', keys.due, event)
	call('ZREM', keys.over, event)
	call('ZREM', keys.dead, event)
end
webhook_drop(keys, keys.all, events)
if left == 0 then
	call('DEL', keys.state)
	call('SREM', ws .. 'whs', ARGV[1])
end
return { 'ok', left }
