#!lua
-- restore_customer: a customer whom the store lost comes back from the history, with their places in the index
-- and what they said of messages (opt:).
-- Bookkeeping, no log entry.
-- KEYS 1 meta, 2 u:<cus>   ARGV 1 cus, then fields and values of the hash
-- An identifier that has an owner by now stays with it. Answers {'ok', 'restored'} or {'ok', 'here'}.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
if call('EXISTS', KEYS[2]) == 1 then
	return { 'ok', 'here' }
end
local index, fields, outs = {}, {}, {}
for i = 2, #ARGV, 2 do
	local hex = ARGV[i]:match('^i:(%x+)$')
	local channel, who = ARGV[i]:match('^k:messages:(.-)#(%x+)$')
	if channel and ARGV[i + 1]:find('"state":"withdrawn"', 1, true) then
		outs[#outs + 1] = { ws .. 'opt:' .. channel, who }
	end
	if hex then
		local field = hex:gsub('..', function(pair)
			return string.char(tonumber(pair, 16))
		end)
		index[#index + 1] = { ws .. 'i:' .. ('%x'):format(tonumber(hex:sub(-4), 16) % 8192), field }
	end
	-- Its conversations come back by themselves.
	if ARGV[i] ~= 'cv' then
		fields[#fields + 1], fields[#fields + 2] = ARGV[i], ARGV[i + 1]
	end
end
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

call('HSET', KEYS[2], unpack(fields))
for _, one in ipairs(index) do
	call('HSETNX', one[1], one[2], ARGV[1])
end
for _, out in ipairs(outs) do
	call('HSETNX', out[1], out[2], now)
end
return { 'ok', 'restored' }
