#!lua
-- draft_put: what an agent has written in a conversation and not sent.
-- KEYS 1 meta, 2 c:<cnv>, 3 dr:<cnv>   ARGV 1 agent, 2 JSON ('' nothing is left), 3 kept so long, ms
-- Bookkeeping, no log entry. Answers {'ok'}; refused not_found (a conversation that left the store too), too_many.
local call = redis.call
local agents_max = 64
if call('EXISTS', KEYS[2]) == 0 then
	return { 'refused', 'not_found' }
end
local is_new = ARGV[2] ~= '' and call('HEXISTS', KEYS[3], ARGV[1]) == 0
if is_new and call('HLEN', KEYS[3]) >= agents_max then
	return { 'refused', 'too_many' }
end

if ARGV[2] == '' then
	call('HDEL', KEYS[3], ARGV[1])
else
	call('HSET', KEYS[3], ARGV[1], ARGV[2])
	call('PEXPIRE', KEYS[3], ARGV[3])
end
return { 'ok' }
