#!lua flags=allow-oom
-- format_set: the last step of a migration.
-- KEYS 1 meta   ARGV 1 format before, 2 format after
-- Answers ok (also where it is after already), or refused format with what is stored.
local format = redis.call('HGET', KEYS[1], 'format')
if format == ARGV[2] then
	return { 'ok' }
end
if format ~= ARGV[1] then
	return { 'refused', 'format', format or '' }
end
redis.call('HSET', KEYS[1], 'format', ARGV[2])
return { 'ok' }
