#!lua flags=allow-oom
-- audit_end: how an administrative act ended. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 au:<aud>   ARGV 1 HTTP status, 2 id of what came of it ('' none), 3 the object as it is now ('' none)
-- Answers {'ok'}.
if redis.call('EXISTS', KEYS[2]) == 1 then
	redis.call('HSET', KEYS[2], 'status', ARGV[1], 'result', ARGV[2], 'after', ARGV[3])
end
return { 'ok' }
