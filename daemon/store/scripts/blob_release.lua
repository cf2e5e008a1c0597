#!lua flags=allow-oom
-- blob_release: messages that named blobs are gone, or an upload that no message names. Bookkeeping, no log entry.
-- KEYS 1 meta   ARGV 1 idempotency key, 2 request hash, 3 the blobs: 4 hex digits of bucket, 16 bytes of field each,
--      4 their ids, 64 characters each, 5 '1' an upload: refused in_use where a message names one
-- Every blob once. One that nobody names any more is not the workspace's from now on and stands in bx until its bytes
-- are destroyed. Answers {'ok', how many are to be destroyed}; refused not_found with the first one's place.
--@use idem
--@use blobs
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local uses, missing = blobs_count(ARGV[3], ARGV[5] == '1' and 0 or -1)
if missing then
	return { 'refused', 'not_found', missing }
end
local gone = 0
for _, one in ipairs(uses) do
	if uses[one] <= 0 then
		gone = gone + 1
	elseif ARGV[5] == '1' then
		return { 'refused', 'in_use', uses[one] }
	end
end
local time = redis.call('TIME')
blobs_drop(uses, ARGV[4], time[1] .. ('%03d'):format(time[2] / 1000))
return idem_keep(ARGV[1], ARGV[2], { 'ok', gone })
