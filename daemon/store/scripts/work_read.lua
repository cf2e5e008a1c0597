#!lua flags=no-writes
-- work_read: work items as they are, with their customers' names and when those wrote last, in one instant.
-- KEYS 1 meta   ARGV ids (at most 200)
-- Answers one list per item: its id, its customer's name ('' none), then the fields and values of its hash and "lt" of
-- its conversation; a list of the id alone where there is none.
local ws = KEYS[1]:sub(1, -5)
local answer = {}
for i, id in ipairs(ARGV) do
	local item = redis.call('HGETALL', ws .. 'w:' .. id)
	if #item == 0 then
		answer[i] = { id }
	else
		local of = redis.call('HMGET', ws .. 'w:' .. id, 'u', 'c')
		local name = (of[1] or '') ~= '' and redis.call('HGET', ws .. 'u:' .. of[1], 'nm')
		local wrote = (of[2] or '') ~= '' and redis.call('HGET', ws .. 'c:' .. of[2], 'lt')
		table.insert(item, 'lt')
		table.insert(item, wrote or '')
		table.insert(item, 1, name or '')
		table.insert(item, 1, id)
		answer[i] = item
	end
end
return answer
