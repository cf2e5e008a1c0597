#!lua flags=allow-oom
-- retain_note: how far a job of retention is.
-- KEYS 1 meta, 2 lease:steward, 3 j:<job>   ARGV 1 fence, 2 conversations it took something of, so far, 3 '1': it will take more
-- No log entry. Answers {'ok'} or refused fence.
if (redis.call('GET', KEYS[2]) or ''):match('^%S+') ~= ARGV[1] then
	return { 'refused', 'fence' }
end
redis.call('HSET', KEYS[3], 's', 'running', 'talks', ARGV[2])
if ARGV[3] == '1' then
	redis.call('HSET', KEYS[3], 'took', '1')
end
return { 'ok' }
