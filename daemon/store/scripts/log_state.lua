#!lua flags=no-writes
-- log_state: where the log stands, and whether what comes after an entry can still be read in full.
-- KEYS 1 meta, 2 log   ARGV 1 id of an entry ('0-0': none)
-- Answers {'ok', generation, id of the newest entry ever, word, that entry, the newest entry}: here (nothing after that
-- entry is missing), gone (some of it was trimmed), or lost (the log does not know that entry). An entry is as XRANGE has
-- it, nil where it was trimmed: ids are times, so after a failover another entry may have the same one.
local gen = redis.call('HGET', KEYS[1], 'gen') or '1'
if redis.call('EXISTS', KEYS[2]) == 0 then
	return { 'ok', gen, '0-0', ARGV[1] == '0-0' and 'here' or 'lost', false, false }
end
local info, newest, added, length = redis.call('XINFO', 'STREAM', KEYS[2]), '0-0', 0, 0
for i = 1, #info, 2 do
	if info[i] == 'last-generated-id' then
		newest = info[i + 1]
	elseif info[i] == 'entries-added' then
		added = info[i + 1]
	elseif info[i] == 'length' then
		length = info[i + 1]
	end
end
local ms, seq = ARGV[1]:match('^(%d+)-(%d+)$')
local new_ms, new_seq = newest:match('^(%d+)-(%d+)$')
ms, seq, new_ms, new_seq = tonumber(ms), tonumber(seq), tonumber(new_ms), tonumber(new_seq)
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local asked = redis.call('XRANGE', KEYS[2], ARGV[1], ARGV[1])[1]
local word = 'here'
if ms > new_ms or (ms == new_ms and seq > new_seq) then
	word = 'lost'
elseif ARGV[1] ~= newest then
	local old_ms, old_seq = new_ms, new_seq
	if first then
		old_ms, old_seq = first[1]:match('^(%d+)-(%d+)$')
		old_ms, old_seq = tonumber(old_ms), tonumber(old_seq)
	end
	if not first or ms < old_ms or (ms == old_ms and seq < old_seq) then
		word = added > length and 'gone' or 'here'
	elseif not asked then
		word = 'lost'
	end
end
return { 'ok', gen, newest, word, asked or false, last or false }
