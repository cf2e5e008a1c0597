#!lua flags=allow-oom
-- lease_take: takes a lease that nobody holds.
-- KEYS 1 meta, 2 lease:<name>   ARGV 1 value ("<fence> <instance>"), 2 ms it lasts
-- Answers ok, or refused held with the ms until it may be free.
local value = redis.call('GET', KEYS[2])
if value and value ~= ARGV[1] then
	return { 'refused', 'held', redis.call('PTTL', KEYS[2]) }
end
redis.call('SET', KEYS[2], ARGV[1], 'PX', ARGV[2])
return { 'ok' }
