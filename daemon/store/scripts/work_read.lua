#!lua flags=no-writes
-- work_read: work items as they are, with their customers' names, in one instant.
-- KEYS 1 meta   ARGV ids (at most 200)
-- Answers one list per item: its id, its customer's name ('' none), then the fields and values of its hash; a list of
-- the id alone where there is none.
local ws = KEYS[1]:sub(1, -5)
local answer = {}
for i, id in ipairs(ARGV) do
	local item = redis.call('HGETALL', ws .. 'w:' .. id)
	if #item == 0 then
		answer[i] = { id }
	else
		local customer = redis.call('HGET', ws .. 'w:' .. id, 'u')
		local name = customer and customer ~= '' and redis.call('HGET', ws .. 'u:' .. customer, 'nm')
		table.insert(item, 1, name or '')
		table.insert(item, 1, id)
		answer[i] = item
	end
end
return answer
