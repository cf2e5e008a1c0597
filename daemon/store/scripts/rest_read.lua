#!lua flags=no-writes
-- rest_read: what has been at rest for long enough to leave the store, the longest first.
-- KEYS 1 meta   ARGV 1 how long it stays, ms, 2 how many at most, 3 how many receipts for what may have left, 4 ms since they came
-- Answers {'ok', how many are at rest in all, {id...}, {receipt...}, how many receipts in all}. An id is a conversation's or a work item's.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
return { 'ok', call('ZCARD', ws .. 'rest'), call('ZRANGE', ws .. 'rest', '-inf', now - ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[2]),
	call('ZRANGE', ws .. 'late', '-inf', now - ARGV[4], 'BYSCORE', 'LIMIT', 0, ARGV[3]), call('ZCARD', ws .. 'late') }
