#!lua flags=allow-oom
-- session_touch: reads a session and lets it live on.
-- KEYS 1 meta, 2 ses:<hash>   ARGV 1 seconds to live from now
-- Answers {'ok', field, value, ...}, or refused gone.
local fields = redis.call('HGETALL', KEYS[2])
if #fields == 0 then
	return { 'refused', 'gone' }
end
redis.call('EXPIRE', KEYS[2], ARGV[1])
table.insert(fields, 1, 'ok')
return fields
