#!lua
-- retain_open: a job that takes what is over by the rules of retention; one at a time.
-- KEYS 1 meta, 2 j:<job>   ARGV 1 idempotency key, 2 request hash, 3 job, 4 who
-- Entry job.state, x the job. Answers {'ok', job}: the one that waits or runs already, where there is one.
--@use log
--@use idem
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local known = redis.call('HGET', KEYS[1], 'retain')
if known and redis.call('ZSCORE', ws .. 'jobs:open', known) then
	return { 'ok', known }
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

redis.call('HSET', KEYS[1], 'retain', ARGV[3])
redis.call('HSET', KEYS[2], 'k', 'retention', 's', 'queued', 'u', '', 'us', '', 'by', ARGV[4], 'ct', now)
redis.call('ZADD', ws .. 'jobs', now, ARGV[3])
redis.call('ZADD', ws .. 'jobs:open', now, ARGV[3])
append('t', 'job.state', 'x', ARGV[3], 'o', 'queued')
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[3] })
