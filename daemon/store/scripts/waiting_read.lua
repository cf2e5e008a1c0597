#!lua flags=no-writes
-- waiting_read: the next of all hot work items, with what the router keeps of those that wait or are offered.
-- KEYS 1 meta, 2 wx   ARGV 1 score to go on from, 2 how many of that score were read, 3 how many to read, then the
-- fields, `s` first
-- Answers {how many were read, score of the last one, how many of that score were read, {wrk, values ...}, ...}. By
-- score and not by place: items that leave meanwhile must not make one be passed over.
local ws = KEYS[1]:sub(1, -5)
local fields = {}
for i = 4, #ARGV do
	fields[#fields + 1] = ARGV[i]
end
local members = redis.call('ZRANGE', KEYS[2], ARGV[1], '+inf', 'BYSCORE', 'LIMIT', ARGV[2], ARGV[3], 'WITHSCORES')
local score, same = ARGV[1], tonumber(ARGV[2])
local answer = { tostring(#members / 2), score, same }
for i = 1, #members, 2 do
	same = members[i + 1] == score and same + 1 or 1
	score = members[i + 1]
	local values = redis.call('HMGET', ws .. 'w:' .. members[i], unpack(fields))
	if values[1] == 'queued' or values[1] == 'offered' then
		table.insert(values, 1, members[i])
		answer[#answer + 1] = values
	end
end
answer[2], answer[3] = score, same
return answer
