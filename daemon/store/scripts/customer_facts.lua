#!lua flags=no-writes
-- customer_facts: what rules may ask of who writes, before the message is admitted.
-- KEYS 1 meta, 2 c:<cnv>   ARGV bucket and index field of each identifier that is asked, the sender's first
-- Answers {'none'} for somebody new, else {'ok', cus, tier, attributes JSON, earlier...}: each earlier work item as
-- {state, type, topic, queue, since ms}: the open one and the last that ended of the customer's 10 newest
-- conversations, and the 10 newest cases; of those that have left the store the 4 last.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
local cus = call('HGET', KEYS[2], 'u')
for i = 1, #ARGV, 2 do
	cus = cus or call('HGET', ws .. 'i:' .. ARGV[i], ARGV[i + 1])
end
if not cus then
	return { 'none' }
end
cus = call('HGET', ws .. 'u:' .. cus, 'to') or cus
local u = call('HMGET', ws .. 'u:' .. cus, 'tier', 'at', 'cv', 'wk', 'ew')
local items = {}
local function add(id)
	if id and id ~= '' then
		items[#items + 1] = id
	end
end
local left = 10
for cnv in (u[3] or ''):gmatch('%S+') do
	left = left - 1
	if left < 0 then
		break
	end
	local c = call('HMGET', ws .. 'c:' .. cnv, 'w', 'lw')
	add(c[1])
	add(c[2])
end
left = 10
for case in (u[4] or ''):gmatch('%S+') do
	left = left - 1
	if left < 0 then
		break
	end
	add(case)
end
local answer = { 'ok', cus, u[1] or '', u[2] or '' }
for _, id in ipairs(items) do
	local w = call('HMGET', ws .. 'w:' .. id, 's', 'ty', 'tp', 'q', 'st')
	if w[1] then
		answer[#answer + 1] = { w[1], w[2] or '', w[3] or '', w[4] or '', w[5] or '0' }
	end
end
for one in (u[5] or ''):gmatch('[^\2]+') do
	answer[#answer + 1] = { one:match('^([^\1]*)\1([^\1]*)\1([^\1]*)\1([^\1]*)\1([^\1]*)$') }
end
return answer
