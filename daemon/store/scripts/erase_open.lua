#!lua flags=allow-oom
-- erase_open: a customer and all that is known of them is to be destroyed; the steward does it, step by step.
-- KEYS 1 meta, 2 u:<cus>, 3 j:<job>   ARGV 1 idempotency key, 2 request hash, 3 cus, 4 job, 5 who
-- Refused: not_found, moved (to whom), held (a legal hold on it or on one merged into it), erasing (the job that does). Entry job.state, x the job. Answers {'ok', job}.
--@use log
--@use idem
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local u = redis.call('HMGET', KEYS[2], 'ct', 'to', 'hold', 'er', 'mf')
if not u[1] then
	return { 'refused', 'not_found' }
end
if u[2] then
	return { 'refused', 'moved', u[2] }
end
local hold = u[3]
for id in (u[5] or ''):gmatch('%S+') do
	hold = hold or redis.call('HGET', ws .. 'u:' .. id, 'hold')
end
if hold then
	return { 'refused', 'held', hold }
end
if u[4] then
	return { 'refused', 'erasing', u[4] }
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

redis.call('HSET', KEYS[2], 'er', ARGV[4])
redis.call('HSET', KEYS[3], 'k', 'erase', 's', 'queued', 'u', ARGV[3], 'us', ARGV[3] .. (u[5] and u[5] ~= '' and ' ' .. u[5] or ''), 'by',
	ARGV[5], 'ct', now)
redis.call('ZADD', ws .. 'jobs', now, ARGV[4])
redis.call('ZADD', ws .. 'jobs:open', now, ARGV[4])
append('t', 'job.state', 'u', ARGV[3], 'x', ARGV[4], 'o', 'queued')
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[4] })
