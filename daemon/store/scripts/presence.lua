#!lua
-- presence: an agent says online, busy, away or offline. Online clears the missed offers and makes routable.
-- KEYS 1 meta, 2 a:<agent>   ARGV 1 agent, 2 status, 3 why, 4 routable 1/0
-- Entry agent.presence (f, o, e.rt), only where something changed. Timer gone:<agent> while not offline.
--@use log
--@use grace
--@use work
local a = call('HMGET', KEYS[2], 'st', 'rt', 'v', 'ld')
local from, version = a[1] or 'offline', tonumber(a[3] or 0) + 1
local same = a[1] == ARGV[2] and a[2] == ARGV[4]

call('HSET', KEYS[2], 'st', ARGV[2], 'why', ARGV[3], 'rt', ARGV[4], 'seen', now)
if ARGV[2] ~= 'offline' then
	call('ZADD', ws .. 'timers', 'NX', now + grace, 'gone:' .. ARGV[1])
end
if same then
	return { 'ok', ARGV[2], ARGV[4], a[4] or 0 }
end
call('HSET', KEYS[2], 'v', version, 'id', now, 'miss', 0)
append('t', 'agent.presence', 'a', ARGV[1], 'f', from, 'o', ARGV[2], 'v', version, 'e', '{"rt":' .. ARGV[4] .. '}')
return { 'ok', ARGV[2], ARGV[4], a[4] or 0 }
