#!lua
-- mention_seen: an agent has looked at where notes named them.
-- KEYS 1 meta, 2 mn:<agent>   ARGV 1 message ('' all of them)
-- Bookkeeping, no log entry. Answers {'ok', how many}.
local call = redis.call
local seen = {}
for _, member in ipairs(call('ZRANGE', KEYS[2], 0, -1)) do
	if ARGV[1] == '' or member:match('^%S+') == ARGV[1] then
		seen[#seen + 1] = member
	end
end

for _, member in ipairs(seen) do
	call('ZREM', KEYS[2], member)
end
return { 'ok', #seen }
