#!lua flags=allow-oom
-- instance_beat: an instance says that it lives and learns who else does. Its workspace is `converge`.
-- KEYS 1 meta, 2 instances   ARGV 1 instance, 2 ms without a beat after which one is dead ('0': this one leaves)
-- Answers {'ok', instance...}: those alive, in order of names.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local is_leaving = ARGV[2] == '0'
local since = string.format('(%.0f', now - ARGV[2])
local alive = is_leaving and {} or redis.call('ZRANGEBYSCORE', KEYS[2], since, '+inf')
local answer, seen = {}, {}
for _, id in ipairs(alive) do
	seen[id] = true
	answer[#answer + 1] = id
end
if is_leaving then
	redis.call('ZREM', KEYS[2], ARGV[1])
	return { 'ok' }
end
if not seen[ARGV[1]] then
	answer[#answer + 1] = ARGV[1]
end
table.sort(answer)
table.insert(answer, 1, 'ok')
redis.call('ZADD', KEYS[2], string.format('%.0f', now), ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', string.format('%.0f', now - 3600000))
return answer
