#!lua flags=allow-oom
-- bell_sleep: a reader of the log is about to sleep; the next entry will ring.
-- KEYS 1 meta, 2 log
-- Answers {'ok', generation, id of the newest entry or ''}: a reader that has not seen that entry reads on first.
local m = redis.call('HMGET', KEYS[1], 'gen', 'bell')
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
if m[2] ~= '1' then
	redis.call('HSET', KEYS[1], 'bell', '1')
end
return { 'ok', m[1] or '1', last[1] and last[1][1] or '' }
