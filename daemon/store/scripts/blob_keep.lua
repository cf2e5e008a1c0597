#!lua
-- blob_keep: blobs that belong to the workspace from now on. Bookkeeping, no log entry.
-- KEYS 1 meta   ARGV 1 idempotency key, 2 request hash, 3 the blobs: 4 hex digits of bucket, 16 bytes of field each,
--      4 what a repeated key is answered: the same bytes kept twice have two ids
-- Answers {'ok', ARGV 4}.
--@use idem
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local ws = KEYS[1]:sub(1, -5)
for at = 1, #ARGV[3], 20 do
	redis.call('HSET', ws .. 'b:' .. ARGV[3]:sub(at, at + 3), ARGV[3]:sub(at + 4, at + 19), '')
end
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[4] })
