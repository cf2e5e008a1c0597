#!lua flags=allow-oom
-- late_end: a receipt for a message that has left the store is settled: the history has the mark, or knows no such message.
-- KEYS 1 meta, 2 late   ARGV 1 the receipt as it stands there, and where its message moved on 2 cnv, 3 msg, 4 n, 5 channel,
--      6 state before, 7 state after
-- Entry message.delivery where it moved on. Answers {'ok'}, {'duplicate'} where it was settled before.
--@use log
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then
	return { 'duplicate' }
end
redis.call('ZREM', KEYS[2], ARGV[1])
if ARGV[2] then
	append('t', 'message.delivery', 'c', ARGV[2], 'm', ARGV[3], 'n', ARGV[4], 'ch', ARGV[5], 'f', ARGV[6], 'o', ARGV[7], 'e', '{"at":0}')
end
return { 'ok' }
