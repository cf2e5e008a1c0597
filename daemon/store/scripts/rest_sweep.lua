#!lua
-- rest_sweep: a step through a store from before `rest` was kept: what is at rest is put there. Bookkeeping, no log entry.
-- KEYS 1 meta   ARGV 1 '1' with the last step, then conversations and work items
-- Answers {'ok', how many were put}.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
local found = {}
for i = 2, #ARGV do
	local id = ARGV[i]
	if id:sub(1, 4) == 'wrk_' then
		local w = call('HMGET', ws .. 'w:' .. id, 's', 'st', 'ct')
		if w[1] == 'closed' or w[1] == 'cancelled' then
			found[#found + 1] = { id, w[2] or '0', w[3] or '0' }
		end
	else
		local c = call('HMGET', ws .. 'c:' .. id, 'w', 'ut', 'ct')
		if c[3] and (not c[1] or c[1] == '' or call('EXISTS', ws .. 'w:' .. c[1]) == 0) then
			found[#found + 1] = { id, c[2] or '0' }
		end
	end
end

for _, one in ipairs(found) do
	call('ZADD', ws .. 'rest', 'NX', one[2], one[1])
	if one[3] then
		call('ZADD', ws .. 'wz', 'NX', one[3], one[1])
	end
end
if ARGV[1] == '1' then
	call('HSET', KEYS[1], 'rest', '1')
end
return { 'ok', #found }
