#!lua flags=no-writes
-- chat_state: where the work item of a visitor's conversation stands.
-- KEYS 1 meta, 2 c:<cnv>
-- Answers the item's state ('' none), its place in the queue (0: it does not wait), the queue, and the agent.
local ws = KEYS[1]:sub(1, -5)
local item = redis.call('HGET', KEYS[2], 'w')
if not item or item == '' then
	return { '', 0, '', '' }
end
local w = redis.call('HMGET', ws .. 'w:' .. item, 's', 'q', 'a')
local place = w[2] and redis.call('ZRANK', ws .. 'q:' .. w[2], item)
return { w[1] or '', place and place + 1 or 0, w[2] or '', w[3] or '' }
