#!lua flags=no-writes
-- thread_read: messages of a conversation as they are stored, with what the provider called those that are ours.
-- KEYS 1 meta, 2 c:<cnv>, 3 m:<cnv>   ARGV 1 cnv, then indexes (negative ones count from the end)
-- Answers {'ok', channel, messages, text, provider's id or '', ...}; refused not_found. '' where there is no message.
local ch = redis.call('HGET', KEYS[2], 'ch')
if not ch then
	return { 'refused', 'not_found' }
end
local answer = { 'ok', ch, redis.call('LLEN', KEYS[3]) }
for i = 2, #ARGV do
	local text = redis.call('LINDEX', KEYS[3], ARGV[i]) or ''
	local id = text:match('},"id":"(msg_%w+)"')
	answer[#answer + 1] = text
	answer[#answer + 1] = id and redis.call('HGET', KEYS[1]:sub(1, -5) .. 'y:' .. ARGV[1], id .. '.id') or ''
end
return answer
