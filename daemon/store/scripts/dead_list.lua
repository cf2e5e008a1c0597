#!lua flags=no-writes
-- dead_list: one page of dead letters, newest first.
-- KEYS 1 meta, 2 dead   ARGV 1 how many to skip, 2 limit (at most 200)
-- Answers {how many to skip for the next page or '', {id, HGETALL of dead:<id>, when ms}, ...}.
local ws = KEYS[1]:sub(1, -5)
local skip, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local page = redis.call('ZREVRANGE', KEYS[2], skip, skip + limit - 1, 'WITHSCORES')
local total = redis.call('ZCARD', KEYS[2])
local answer = { skip + limit < total and tostring(skip + limit) or '' }
for i = 1, #page, 2 do
	answer[#answer + 1] = { page[i], redis.call('HGETALL', ws .. 'dead:' .. page[i]), page[i + 1] }
end
return answer
