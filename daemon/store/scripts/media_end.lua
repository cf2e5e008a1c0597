#!lua flags=allow-oom
-- media_end: how far the steward came with the attachments of a message that their provider keeps.
-- KEYS 1 meta, 2 lease:steward, 3 md, 4 y:<cnv>
-- ARGV 1 fence, 2 cnv, 3 msg, 4 n, 5 channel, 6 how they stand, a line each (conversation/files.h; '' the message is
--      gone), 7 ms until the next try ('' all are settled), 8 stored or failed where one was settled now, else '',
--      9 blobs of those that are stored, 4 hex digits of bucket and 16 bytes of field each
-- Entry message.attachment where one was settled. Answers {'ok'}, refused fence or not_found (settled before).
--@use log
--@use outbox
local fence = call('GET', KEYS[2])
if not fence or (fence ~= ARGV[1] and fence:sub(1, #ARGV[1] + 1) ~= ARGV[1] .. ' ') then
	return { 'refused', 'fence' }
end
local job = ARGV[2] .. ' ' .. ARGV[3] .. ' ' .. ARGV[4]
if not call('ZSCORE', KEYS[3], job) then
	return { 'refused', 'not_found' }
end
local changed = ARGV[6] ~= '' and call('HGET', KEYS[4], ARGV[3] .. '.files') ~= ARGV[6]

if ARGV[7] == '' then
	call('ZREM', KEYS[3], job)
else
	call('ZADD', KEYS[3], now + ARGV[7], job)
end
if changed then
	call('HSET', KEYS[4], ARGV[3] .. '.files', ARGV[6], '.t', now)
	for at = 1, #ARGV[9], 20 do
		call('HSET', ws .. 'b:' .. ARGV[9]:sub(at, at + 3), ARGV[9]:sub(at + 4, at + 19), 1)
	end
end
if changed and ARGV[8] ~= '' then
	append('t', 'message.attachment', 'c', ARGV[2], 'm', ARGV[3], 'n', ARGV[4], 'ch', ARGV[5], 'f', 'pending', 'o', ARGV[8])
end
return { 'ok' }
