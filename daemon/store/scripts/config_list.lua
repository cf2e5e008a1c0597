#!lua flags=no-writes
-- config_list: all objects of one kind of the business configuration, with when each came to be.
-- KEYS 1 meta, 2 cfg:<kind>, 3 born:<kind>
-- Answers {id, JSON, created ms (0: before that was noted), ...} in no order.
local objects = redis.call('HGETALL', KEYS[2])
local born = redis.call('ZRANGE', KEYS[3], 0, -1, 'WITHSCORES')
local when, answer = {}, {}
for i = 1, #born, 2 do
	when[born[i]] = born[i + 1]
end
for i = 1, #objects, 2 do
	answer[#answer + 1] = objects[i]
	answer[#answer + 1] = objects[i + 1]
	answer[#answer + 1] = when[objects[i]] or '0'
end
return answer
