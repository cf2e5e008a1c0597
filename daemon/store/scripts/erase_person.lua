#!lua flags=allow-oom
-- erase_person: what a customer is known by goes; tombstones stay, which know the identifiers again and say nothing.
-- KEYS 1 meta, 2 lease:steward, 3 j:<job>, 4 u:<cus>   ARGV 1 fence, 2 job, 3 cus
-- The job keeps the hashes and the cases, which the next steps need. No log entry (the job has its own). Answers {'ok', identifiers} or
-- refused fence.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
if (call('GET', KEYS[2]) or ''):match('^%S+') ~= ARGV[1] then
	return { 'refused', 'fence' }
end
local cus = ARGV[3]
local u = call('HGETALL', KEYS[4])
local j = call('HMGET', KEYS[3], 'ids', 'wk', 'us')
local ids, cases, places, known = j[1] or '', j[2] or '', {}, {}
for _, list in ipairs({ ids, cases }) do
	for word in list:gmatch('%S+') do
		known[word] = true
	end
end
local mine = ' ' .. (j[3] or '') .. ' '
for i = 1, #u, 2 do
	local hex = u[i]:match('^i:(%x+)$')
	if hex then
		local field = hex:gsub('%x%x', function(byte) return string.char(tonumber(byte, 16)) end)
		local bucket = ('%x'):format(tonumber(hex:sub(-4), 16) % 8192)
		local owner = call('HGET', ws .. 'i:' .. bucket, field)
		local ours = owner and mine:find(' ' .. owner .. ' ', 1, true)
		places[#places + 1] = { bucket, field, ours }
		-- One that is another's in the index is only claimed here: its conversations are the other's.
		ids = (known[hex] or not ours) and ids or ids .. ' ' .. hex
	elseif u[i] == 'wk' then
		for wrk in u[i + 1]:gmatch('%S+') do
			cases = known[wrk] and cases or cases .. ' ' .. wrk
		end
	end
end
local others, merges = call('HKEYS', ws .. 'sg:' .. cus), call('ZRANGE', ws .. 'mgs:' .. cus, 0, -1)
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

call('HSET', KEYS[3], 's', 'running', 'ids', ids, 'wk', cases)
for _, place in ipairs(places) do
	call('HSET', ws .. 'tomb:' .. place[1], place[2], now)
	if place[3] then
		call('HDEL', ws .. 'i:' .. place[1], place[2])
	end
end
for _, other in ipairs(others) do
	call('HDEL', ws .. 'sg:' .. other, cus)
end
for _, mrg in ipairs(merges) do
	call('UNLINK', ws .. 'mg:' .. mrg)
end
for _, kind in ipairs({ 'sg:', 'mgs:', 'un:', 'uo:', 'uz:', 'uh:', 'ue:', 'uv:' }) do
	call('UNLINK', ws .. kind .. cus)
end
call('UNLINK', KEYS[4])
return { 'ok', #places }
