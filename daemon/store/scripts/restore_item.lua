#!lua
-- restore_item: a work item that the store lost comes back from the history. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 w:<wrk>   ARGV 1 wrk, then fields and values of the hash
-- An offer is gone: offered -> queued. Its timer is set anew: what was due at a time that nobody knows any more is due
-- now. A transfer or a consultation that was pending is over. Answers {'ok', 'restored'} or {'ok', 'here'}.
--@use log
--@use grace
local call = redis.call
if call('EXISTS', KEYS[2]) == 1 then
	return { 'ok', 'here' }
end
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local w, fields = {}, {}
for i = 2, #ARGV, 2 do
	w[ARGV[i]] = ARGV[i + 1]
end
if w.s == 'offered' or w.s == 'new' then
	w.s = 'queued'
end
w.o, w.tr, w.cp = '', nil, nil
for name, value in pairs(w) do
	fields[#fields + 1], fields[#fields + 2] = name, value
end
local agent = w.a and w.a ~= '' and w.a
local due = w.s == 'resolved' and tonumber(w.st or 0) + tonumber(w.cl or 0) or tonumber(w.lx or now)
local num = tonumber(call('HGET', KEYS[1], 'num') or 0)

call('HSET', KEYS[2], unpack(fields))
call('ZADD', ws .. 'wx', w.ct or now, ARGV[1])
call('ZADD', ws .. 'sla', now, ARGV[1])
if w.s == 'queued' then
	call('ZADD', ws .. 'q:' .. (w.q or ''), w.qt or now, ARGV[1])
end
if agent then
	call('SADD', ws .. 'aw:' .. agent, ARGV[1])
	call('HINCRBY', ws .. 'a:' .. agent, 'ld', w.s == 'waiting' and w.wc or w.cost or 0)
	call('ZADD', ws .. 'timers', 'NX', now + grace, 'gone:' .. agent)
end
if w.tm and w.tm ~= '' then
	call('ZADD', ws .. 'timers', due, w.tm)
end
if tonumber(w.num or 0) > num then
	call('HSET', KEYS[1], 'num', w.num)
end
return { 'ok', 'restored' }
