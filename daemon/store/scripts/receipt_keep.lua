#!lua
-- receipt_keep: a receipt for an id that nobody knows yet: the provider may tell of it before send_end has run.
-- KEYS 1 meta, 2 r: bucket, 3 early:<hex>   ARGV 1 reference field, 2 sent, delivered, read or failed, 3 why ('' none),
-- 4 seconds to keep it, 5 the receipt as the history's steward reads it ('' nothing ever leaves the store): what
-- nobody knows here may have left
-- Answers {'known', reference} where the id is known by now, else {'ok', mark kept}: send_end takes it. It never goes
-- backwards.
--@use log
--@use outbox
local reference = call('HGET', KEYS[2], ARGV[1])
if reference then
	return { 'known', reference }
end
local old = call('GET', KEYS[3])
local mark = ARGV[3] ~= '' and (ARGV[2] .. ' ' .. ARGV[3]) or ARGV[2]
local forward = mark_rank(mark) > mark_rank(old) or (ARGV[2] == 'failed' and mark_state(old) == 'sent')
if not forward then
	return { 'ok', old }
end

call('SET', KEYS[3], mark, 'EX', ARGV[4])
if ARGV[5] and ARGV[5] ~= '' then
	call('ZADD', ws .. 'late', now, ARGV[5])
	call('ZREMRANGEBYRANK', ws .. 'late', 0, -100001)
end
return { 'ok', mark }
