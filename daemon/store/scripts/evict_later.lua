#!lua flags=allow-oom
-- evict_later: the history did not take it: it stays, and is looked at again later. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 rest   ARGV 1 cnv or wrk, 2 how long it stays, ms, 3 ms until then
local clock = redis.call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
redis.call('ZADD', KEYS[2], 'XX', now - ARGV[2] + ARGV[3], ARGV[1])
return { 'ok' }
