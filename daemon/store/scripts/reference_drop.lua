#!lua flags=allow-oom
-- reference_drop: references to messages that leave the store; the history knows them from now on. Bookkeeping, no log
-- entry.
-- KEYS 1 meta   ARGV 1 start of their values (the conversation, without its prefix), then bucket (hex) and field of each
-- One that stands for another conversation stays. Answers {'ok', how many went}.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
local gone = {}
for i = 2, #ARGV, 2 do
	local value = call('HGET', ws .. 'r:' .. ARGV[i], ARGV[i + 1])
	if value and value:sub(1, #ARGV[1]) == ARGV[1] then
		gone[#gone + 1] = i
	end
end
for _, i in ipairs(gone) do
	call('HDEL', ws .. 'r:' .. ARGV[i], ARGV[i + 1])
end
return { 'ok', #gone }
