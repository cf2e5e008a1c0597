#!lua flags=no-writes
-- thread_changes: one change of conversations, or the newest of a conversation, the newest first.
-- KEYS 1 meta   ARGV 1 mv ('' all of the conversation), 2 cnv, 3 how many
-- Answers a list of { mv, kind, from, to, first message, state, by, undone by, messages, created ms, undone ms, next }.
local ws = KEYS[1]:sub(1, -5)
local ids = ARGV[1] ~= '' and { ARGV[1] } or redis.call('LRANGE', ws .. 'mvs:' .. ARGV[2], 0 - ARGV[3], -1)
local answer = {}
for i = #ids, 1, -1 do
	local c = redis.call('HMGET', ws .. 'mv:' .. ids[i], 'k', 'a', 'b', 'm', 's', 'by', 'ub', 'n', 'ct', 'ut', 'nx')
	if c[1] then
		table.insert(c, 1, ids[i])
		for k = 2, 12 do
			c[k] = c[k] or ''
		end
		answer[#answer + 1] = c
	end
end
return answer
