#!lua flags=allow-oom
-- lease_take: takes a lease that nobody holds, or that this instance or a dead forerunner held: nobody waits for oneself.
-- KEYS 1 meta, 2 lease:<name>
-- ARGV 1 value ("<fence> <instance>"), 2 ms it lasts, 3 this instance and its forerunners, parted by spaces
-- Answers ok, or refused held with the ms until it may be free.
local value = redis.call('GET', KEYS[2])
local holder = value and value:match(' .*$')
if value and value ~= ARGV[1] and not (holder and (' ' .. ARGV[3] .. ' '):find(holder .. ' ', 1, true)) then
	return { 'refused', 'held', redis.call('PTTL', KEYS[2]) }
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return { 'ok' }
