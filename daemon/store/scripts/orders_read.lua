#!lua flags=no-writes
-- orders_read: a page of a customer's orders by when they were placed, those of merged customers among them.
-- KEYS 1 meta, 2 u:<cus>   ARGV 1 cus, 2 asc or desc, 3 how many, 4 "<placed ms> <order>" of the last one before ('': the first page)
-- Follows a redirect. Answers {'none'}, else {'ok', mark of the last one where more follow or '', then order and JSON, in pairs}.
local ws = KEYS[1]:sub(1, -5)
--@use customer
local cus, _, merged = customer_now(ARGV[1])
if not cus then
	return { 'none' }
end
local up = ARGV[2] == 'asc'
local function before(a, b)
	if a[2] == b[2] then
		return up == (a[1] < b[1])
	end
	return up == (a[2] < b[2])
end
local ms, order = ARGV[4]:match('^(%-?%d+) (.+)$')
local mark = ms and { order, tonumber(ms) }
local rows, known = {}, {}
for id in (cus .. ' ' .. merged):gmatch('%S+') do
	local list = redis.call('ZRANGE', ws .. 'uz:' .. id, 0, -1, 'WITHSCORES')
	for i = 1, #list, 2 do
		local row = { list[i], tonumber(list[i + 1]), id }
		if not known[row[1]] and (not mark or (before(mark, row) and row[1] ~= mark[1])) then
			rows[#rows + 1] = row
		end
		known[row[1]] = true
	end
end
table.sort(rows, function(a, b)
	return a[1] ~= b[1] and before(a, b)
end)
local limit = tonumber(ARGV[3])
local answer = { 'ok', '' }
for i = 1, math.min(#rows, limit) do
	answer[#answer + 1] = rows[i][1]
	answer[#answer + 1] = redis.call('HGET', ws .. 'uo:' .. rows[i][3], rows[i][1]) or ''
end
if #rows > limit then
	answer[2] = ('%.0f'):format(rows[limit][2]) .. ' ' .. rows[limit][1]
end
return answer
