#!lua flags=no-writes
-- merges_read: merges and splits of a customer and of those merged into it, the newest first of each.
-- KEYS 1 meta, 2 u:<cus>   ARGV 1 cus, 2 most of each customer
-- Answers {{mrg, k, s, into, from, ids, ev, sg, by, at, rb, ra}, ...}.
local ws = KEYS[1]:sub(1, -5)
local answer, seen = {}, {}
local function add(cus)
	for _, mrg in ipairs(redis.call('ZRANGE', ws .. 'mgs:' .. cus, 0, ARGV[2] - 1, 'REV')) do
		if not seen[mrg] then
			seen[mrg] = true
			local m = redis.call('HMGET', ws .. 'mg:' .. mrg, 'k', 's', 'into', 'from', 'ids', 'ev', 'sg', 'by', 'at', 'rb', 'ra')
			for i = 1, 11 do
				m[i] = m[i] or ''
			end
			table.insert(m, 1, mrg)
			answer[#answer + 1] = m
		end
	end
end
add(ARGV[1])
for cus in (redis.call('HGET', KEYS[2], 'mf') or ''):gmatch('%S+') do
	add(cus)
end
return answer
