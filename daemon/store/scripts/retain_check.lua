#!lua flags=no-writes
-- retain_check: may retention take these conversations?
-- KEYS 1 meta   ARGV 1 over before ms, then for each: cnv, identifier hash (hex)
-- Answers a word for each: held (its customer, or one merged into it, is under a legal hold), open (it is worked on, or was
-- changed since), hot (it is in the store), past.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
local answer = {}
local function is_held(hex)
	local field = hex:gsub('%x%x', function(byte) return string.char(tonumber(byte, 16)) end)
	local cus = call('HGET', ws .. 'i:' .. ('%x'):format((tonumber(hex:sub(-4), 16) or 0) % 8192), field)
	local u = cus and call('HMGET', ws .. 'u:' .. cus, 'hold', 'mf') or {}
	if u[1] then
		return true
	end
	for id in (u[2] or ''):gmatch('%S+') do
		if call('HEXISTS', ws .. 'u:' .. id, 'hold') == 1 then
			return true
		end
	end
	return false
end
for i = 2, #ARGV, 2 do
	local c = call('HMGET', ws .. 'c:' .. ARGV[i], 's', 'w', 'ut')
	if is_held(ARGV[i + 1]) then
		answer[#answer + 1] = 'held'
	elseif not c[1] then
		answer[#answer + 1] = 'past'
	elseif c[1] ~= 'closed' or (c[2] and c[2] ~= '') or tonumber(c[3] or 0) >= tonumber(ARGV[1]) then
		answer[#answer + 1] = 'open'
	else
		answer[#answer + 1] = 'hot'
	end
end
return answer
