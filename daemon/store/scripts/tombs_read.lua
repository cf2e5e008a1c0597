#!lua flags=no-writes
-- tombs_read: which of these identifiers does the store not know as erased, and who has them?
-- KEYS 1 meta   ARGV for each: identifier hash (hex), when it was erased, ms
-- Answers, in pairs, the place from 1 of each that has no tombstone, and the customer who has it and is older than that ('' none).
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
local answer = {}
for i = 1, #ARGV, 2 do
	local hex = ARGV[i]
	local field = hex:gsub('%x%x', function(byte) return string.char(tonumber(byte, 16)) end)
	local bucket = ('%x'):format(tonumber(hex:sub(-4), 16) % 8192)
	if not call('HGET', ws .. 'tomb:' .. bucket, field) then
		local cus = call('HGET', ws .. 'i:' .. bucket, field)
		local made = cus and call('HGET', ws .. 'u:' .. cus, 'ct')
		answer[#answer + 1] = ('%d'):format((i + 1) / 2)
		answer[#answer + 1] = made and tonumber(made) < tonumber(ARGV[i + 1]) and cus or ''
	end
end
return answer
