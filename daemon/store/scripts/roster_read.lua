#!lua flags=no-writes
-- Reads the configuration that routing needs in one instant.
-- KEYS: meta, then a cfg:<kind> each. Answers what HGETALL says of each, then the version
-- of the rules.
local answer = {}
for i = 2, #KEYS do
  answer[i - 1] = redis.call('HGETALL', KEYS[i])
end
answer[#KEYS] = redis.call('HGET', KEYS[1], 'rv') or '0'
return answer
