#!lua flags=allow-oom
-- gen_next: entries that a reader has seen are gone (a failover, a restored copy): the log starts a new generation.
-- KEYS 1 meta   ARGV 1 the generation the reader knew
-- Answers {'ok', generation now}; where another one was faster, nothing changes.
local gen = redis.call('HGET', KEYS[1], 'gen') or '0'
if gen ~= ARGV[1] then
	return { 'ok', gen }
end
local now = string.format('%.0f', tonumber(gen) + 1)
redis.call('HSET', KEYS[1], 'gen', now)
return { 'ok', now }
