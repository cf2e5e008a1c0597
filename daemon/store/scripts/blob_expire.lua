#!lua flags=allow-oom
-- blob_expire: uploads that nobody sent for long: those that no message names are to be destroyed. Bookkeeping, no log
-- entry.
-- KEYS 1 meta   ARGV 1 the blobs: 4 hex digits of bucket, 16 bytes of field each, 2 their ids, 64 characters each
-- Every blob once. Answers {'ok', how many are to be destroyed}.
--@use blobs
local uses = blobs_count(ARGV[1], 0)
local gone = 0
for _, one in ipairs(uses) do
	gone = gone + (uses[one] == 0 and 1 or 0)
end
local time = redis.call('TIME')
blobs_drop(uses, ARGV[2], time[1] .. ('%03d'):format(time[2] / 1000))
for at = 1, #ARGV[2], 64 do
	redis.call('ZREM', KEYS[1]:sub(1, -5) .. 'bu', ARGV[2]:sub(at, at + 63))
end
return { 'ok', gone }
