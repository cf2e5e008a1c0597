#!lua
-- blob_keep: blobs that belong to the workspace from now on. Bookkeeping, no log entry.
-- KEYS 1 meta   ARGV 1 idempotency key, 2 request hash, 3 the blobs: 4 hex digits of bucket, 16 bytes of field each,
--      4 what a repeated key is answered: the same bytes kept twice have two ids, 5 '1': a message names each of them,
--      6 their ids, 64 characters each, of uploads: they go after a while unless a message names them (bu)
-- Uploads, which no message names yet; what is known already stays as it is. Answers {'ok', ARGV 4}.
--@use idem
--@use blobs
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local uses = blobs_count(ARGV[3], 0)
for _, one in ipairs(uses) do
	if uses[one] == 0 and ARGV[5] == '1' then
		uses[one] = 1
	end
end
local time = redis.call('TIME')
blobs_note(uses)
for at = 1, #(ARGV[6] or ''), 64 do
	redis.call('ZADD', KEYS[1]:sub(1, -5) .. 'bu', time[1] .. ('%03d'):format(time[2] / 1000), ARGV[6]:sub(at, at + 63))
end
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[4] })
