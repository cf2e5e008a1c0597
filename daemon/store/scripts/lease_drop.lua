#!lua flags=allow-oom
-- lease_drop: gives leases back.
-- KEYS 1 meta, then lease:<name>...   ARGV the value of each, from 2 on; 1 is ''
local mine = {}
for i = 2, #KEYS do
	if redis.call('GET', KEYS[i]) == ARGV[i] then
		mine[#mine + 1] = KEYS[i]
	end
end
if #mine > 0 then
	redis.call('DEL', unpack(mine))
end
return { 'ok', #mine }
