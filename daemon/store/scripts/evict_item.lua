#!lua flags=allow-oom
-- evict_item: a work item that has ended leaves the store: the history has it. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 w:<wrk>
-- ARGV 1 fence, 2 wrk, 3 its digest when it was read, 4 ms of the store's clock then, 5 how long it stays, ms, 6 ms until
--      one that is held is looked at again
-- What rules may ask of it stays with its customer (ew: the 4 that left last). Answers {'ok'}. Refused as evict does; held: a clock of it runs.
--@use log
--@use rest
local wrk, keep = ARGV[2], tonumber(ARGV[5])
if not fenced(ARGV[1]) then
	return { 'refused', 'fence' }
end
local digest, w, last = item_seen(wrk)
if not digest then
	call('ZREM', ws .. 'wz', wrk)
	call('ZREM', ws .. 'rest', wrk)
	return { 'refused', 'not_found' }
end
if w.s ~= 'closed' and w.s ~= 'cancelled' then
	call('ZREM', ws .. 'rest', wrk)
	return { 'refused', 'open' }
end
if last > now - keep then
	call('ZADD', ws .. 'rest', last, wrk)
	return { 'refused', 'young' }
end
if call('ZSCORE', ws .. 'sla', wrk) then
	call('ZADD', ws .. 'rest', now - keep + ARGV[6], wrk)
	return { 'refused', 'held' }
end
if not history_passed(last) then
	return { 'refused', 'behind' }
end
if digest ~= ARGV[3] or last >= tonumber(ARGV[4]) then
	return { 'refused', 'changed' }
end
local cus = w.u and w.u ~= '' and (call('HGET', ws .. 'u:' .. w.u, 'to') or w.u)
local u = cus and call('HMGET', ws .. 'u:' .. cus, 'ct', 'ew')
local earlier = { table.concat({ w.s, w.ty or '', w.tp or '', w.q or '', w.st or '0' }, '\1') }
for one in (u and u[2] or ''):gmatch('[^\2]+') do
	earlier[#earlier + 1] = #earlier < 4 and one or nil
end

if u and u[1] then
	call('HSET', ws .. 'u:' .. cus, 'ew', table.concat(earlier, '\2'))
end
call('UNLINK', KEYS[2])
call('ZREM', ws .. 'wz', wrk)
call('ZREM', ws .. 'rest', wrk)
return { 'ok' }
