#!lua flags=allow-oom
-- evict: a conversation at rest leaves the store: the history has all of it. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 c:<cnv>, 3 m:<cnv>, 4 y:<cnv>, 5 oq:<cnv>
-- ARGV 1 fence, 2 cnv, 3 its digest when it was read, 4 ms of the store's clock then, 5 how long it stays, ms, 6 ms until
--      one that is held is looked at again, 7 how many members of md would hold it, those, then messages whose dead
--      letter would
-- Answers {'ok'}. Refused fence, not_found, open (it has work again: it comes back to `rest` when that ends), young, held
-- (something is on its way out, to be fetched, or a dead letter that nobody has decided), behind (the history's reader
-- has not passed its last entry), changed (since it was read).
--@use log
--@use rest
local cnv, keep = ARGV[2], tonumber(ARGV[5])
if not fenced(ARGV[1]) then
	return { 'refused', 'fence' }
end
local digest, c, last = conversation_seen(cnv)
if not digest then
	call('ZREM', ws .. 'rest', cnv)
	return { 'refused', 'not_found' }
end
if c.w and c.w ~= '' and call('EXISTS', ws .. 'w:' .. c.w) == 1 then
	call('ZREM', ws .. 'rest', cnv)
	return { 'refused', 'open' }
end
if last > now - keep then
	call('ZADD', ws .. 'rest', last, cnv)
	return { 'refused', 'young' }
end
local held = call('EXISTS', KEYS[5]) == 1
local media = tonumber(ARGV[7])
for i = 8, #ARGV do
	held = held or call('ZSCORE', ws .. (i <= 7 + media and 'md' or 'dead'), ARGV[i])
end
if held then
	call('ZADD', ws .. 'rest', now - keep + ARGV[6], cnv)
	return { 'refused', 'held' }
end
if not history_passed(last) then
	return { 'refused', 'behind' }
end
if digest ~= ARGV[3] or last >= tonumber(ARGV[4]) then
	return { 'refused', 'changed' }
end
local cus = c.u and (call('HGET', ws .. 'u:' .. c.u, 'to') or c.u)
local cv = cus and call('HGET', ws .. 'u:' .. cus, 'cv') or ''
local from, to = (' ' .. cv .. ' '):find(' ' .. cnv .. ' ', 1, true)

if from then
	local rest = (cv:sub(1, math.max(from - 2, 0)) .. ' ' .. cv:sub(to)):match('^%s*(.-)%s*$')
	if rest == '' then
		call('HDEL', ws .. 'u:' .. cus, 'cv')
	else
		call('HSET', ws .. 'u:' .. cus, 'cv', rest)
	end
end
call('UNLINK', KEYS[2], KEYS[3], KEYS[4], ws .. 'dr:' .. cnv)
call('ZREM', ws .. 'rest', cnv)
return { 'ok' }
