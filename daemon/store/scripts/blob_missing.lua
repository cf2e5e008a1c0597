#!lua flags=no-writes
-- blob_missing: the first of some blobs that is not the workspace's.
-- KEYS 1 meta   ARGV 1 the blobs: 4 hex digits of bucket, 16 bytes of field each
-- Answers {'ok', its place from 1, or 0}.
local ws = KEYS[1]:sub(1, -5)
for at = 1, #ARGV[1], 20 do
	if redis.call('HEXISTS', ws .. 'b:' .. ARGV[1]:sub(at, at + 3), ARGV[1]:sub(at + 4, at + 19)) == 0 then
		return { 'ok', (at - 1) / 20 + 1 }
	end
end
return { 'ok', 0 }
