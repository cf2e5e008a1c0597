#!lua flags=allow-oom
-- Bookkeeping: a durable reader or a polled channel remembers how far it came.
--
-- KEYS  meta, cur:<reader or channel>
-- ARGV  cursor; time to live in seconds, 0: for ever
-- ->    {'ok'}
if ARGV[2] == '0' then
	redis.call('SET', KEYS[2], ARGV[1])
else
	redis.call('SET', KEYS[2], ARGV[1], 'EX', ARGV[2])
end
return { 'ok' }
