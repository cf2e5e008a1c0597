#!lua flags=no-writes
-- customer_view: a customer as the 360 view needs it, in one instant.
-- KEYS 1 meta, 2 u:<cus>
-- Follows a redirect. Answers {'none'}, else {'ok', cus, its hash, merged, conversations, notes, orders, pulled, links, hooks}:
--   merged         {cus, hash} of each customer that was merged into it (64 at most)
--   conversations  {cnv, ch, sub, s, w, lw, ik, n, ut, ct, start of the newest message, when it was made} of the newest 50
--   notes          how many, then {note, JSON}, the newest 20; of the merged ones too, as the orders
--   orders         how many, then {order, JSON}, the newest 10 by when they were placed
--   pulled         hook and what it answered last, in pairs; of itself only
--   links, hooks   configured context links and order hooks, as JSON
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
local u = call('HGETALL', KEYS[2])
if #u == 0 then
	return { 'none' }
end
local cus = KEYS[2]:sub(#ws + 3)
local f = {}
local function fields(list)
	f = {}
	for i = 1, #list, 2 do
		f[list[i]] = list[i + 1]
	end
end
fields(u)
if f.to and f.to ~= '' then
	cus = f.to
	u = call('HGETALL', ws .. 'u:' .. cus)
	fields(u)
end
local ids, merged = { cus }, {}
for id in (f.mf or ''):gmatch('%S+') do
	if #ids <= 64 then
		ids[#ids + 1] = id
		merged[#merged + 1] = { id, call('HGETALL', ws .. 'u:' .. id) }
	end
end

local conversations = {}
for cnv in (f.cv or ''):gmatch('%S+') do
	if #conversations < 50 then
		local c = call('HMGET', ws .. 'c:' .. cnv, 'ch', 'sub', 's', 'w', 'lw', 'ik', 'n', 'ut', 'ct', 'pn', 'pc')
		-- What left the store before counts, too (past_note.lua).
		c[7] = ('%.0f'):format(tonumber(c[7] or 0) + tonumber(c[10] or 0))
		c[9] = c[11] or c[9]
		local row = { cnv }
		for i = 1, 9 do
			row[i + 1] = c[i] or ''
		end
		local newest = call('LINDEX', ws .. 'm:' .. cnv, -1) or ''
		row[11] = newest:sub(1, 4096)
		row[12] = newest:match('"created_at":"([^"]+)"}$') or ''
		conversations[#conversations + 1] = c[1] and row or nil
	end
end

local seen = {}
for _, id in ipairs(ids) do
	for _, note in ipairs(call('HKEYS', ws .. 'un:' .. id)) do
		seen[#seen + 1] = { note, id }
	end
end
table.sort(seen, function(a, b)
	return a[1] > b[1]
end)
local notes = { #seen }
for i = 1, math.min(#seen, 20) do
	notes[i + 1] = { seen[i][1], call('HGET', ws .. 'un:' .. seen[i][2], seen[i][1]) }
end

local placed, known = {}, {}
local total = 0
for _, id in ipairs(ids) do
	total = total + call('ZCARD', ws .. 'uz:' .. id)
	local list = call('ZREVRANGE', ws .. 'uz:' .. id, 0, 9, 'WITHSCORES')
	for i = 1, #list, 2 do
		if not known[list[i]] then
			known[list[i]] = true
			placed[#placed + 1] = { list[i], tonumber(list[i + 1]), id }
		end
	end
end
table.sort(placed, function(a, b)
	if a[2] ~= b[2] then
		return a[2] > b[2]
	end
	return a[1] > b[1]
end)
local orders = { total }
for i = 1, math.min(#placed, 10) do
	orders[i + 1] = { placed[i][1], call('HGET', ws .. 'uo:' .. placed[i][3], placed[i][1]) or '' }
end
return { 'ok', cus, u, merged, conversations, notes, orders, call('HGETALL', ws .. 'uh:' .. cus),
	call('HVALS', ws .. 'cfg:context-links'), call('HVALS', ws .. 'cfg:order-hooks') }
