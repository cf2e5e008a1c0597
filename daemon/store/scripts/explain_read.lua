#!lua flags=no-writes
-- explain_read: a work item, and its place in its queue.
-- KEYS 1 meta   ARGV 1 wrk
-- Answers {'none'} for an unknown one, else {place from 1 by waiting time (0: does not wait), how many wait, end of its
-- pending transfer ms (0: none), then fields and values of the item}.
local ws = KEYS[1]:sub(1, -5)
local item = redis.call('HGETALL', ws .. 'w:' .. ARGV[1])
if #item == 0 then
	return { 'none' }
end
local w = redis.call('HMGET', ws .. 'w:' .. ARGV[1], 'q', 'tr')
local place = redis.call('ZRANK', ws .. 'q:' .. (w[1] or ''), ARGV[1])
local transfer = w[2] and w[2] ~= '' and redis.call('HGET', ws .. 't:' .. w[2], 'ex')
table.insert(item, 1, transfer or '0')
table.insert(item, 1, tostring(redis.call('ZCARD', ws .. 'q:' .. (w[1] or ''))))
table.insert(item, 1, tostring(place and place + 1 or 0))
return item
