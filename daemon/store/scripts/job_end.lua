#!lua flags=allow-oom
-- job_end: a job is done. What it knew of a person goes with it.
-- KEYS 1 meta, 2 lease:steward, 3 j:<job>   ARGV 1 fence, 2 job
-- Entry job.state. Answers {'ok'} or refused fence.
--@use log
if (redis.call('GET', KEYS[2]) or ''):match('^%S+') ~= ARGV[1] then
	return { 'refused', 'fence' }
end
local j = redis.call('HMGET', KEYS[3], 's', 'u')
if j[1] == 'done' or not j[1] then
	return { 'ok' }
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

redis.call('HSET', KEYS[3], 's', 'done', 'et', now)
redis.call('HDEL', KEYS[3], 'ids', 'wk')
redis.call('ZREM', ws .. 'jobs:open', ARGV[2])
append('t', 'job.state', 'u', j[2], 'x', ARGV[2], 'f', j[1], 'o', 'done')
return { 'ok' }
