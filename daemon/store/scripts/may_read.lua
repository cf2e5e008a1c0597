#!lua flags=no-writes
-- may_read: what the addressee of a conversation said of messages, and whether one more may leave now.
-- KEYS 1 meta, 2 c:<cnv>   ARGV 1 messages an hour ('' any number), 2 a day
-- Answers {'ok', ms since when opted out ('' has not), ms until one more may leave ('' at once)}.
local ws = KEYS[1]:sub(1, -5)
--@use caps
local c = redis.call('HMGET', KEYS[2], 'ch', 'ik')
local since = redis.call('HGET', ws .. 'opt:' .. (c[1] or ''), c[2] or '')
return { 'ok', since or '', cap_wait(cap_list(c[1] or '', c[2] or '', ARGV[1], ARGV[2]), 0) or '' }
