#!lua flags=allow-oom
-- gen_next: entries that a reader has seen are gone, or may be (a failover, a restored copy): the log starts a new generation.
-- KEYS 1 meta   ARGV 1 the generation the reader knew
-- Answers {'ok', generation now}; where another one was faster, nothing changes. An older copy may hold an older number:
-- the next one is counted from what the reader knew, so that no number comes twice.
local gen = tonumber(redis.call('HGET', KEYS[1], 'gen') or '0')
local known = tonumber(ARGV[1])
if gen <= known then
	gen = known + 1
	redis.call('HSET', KEYS[1], 'gen', string.format('%.0f', gen))
end
return { 'ok', string.format('%.0f', gen) }
