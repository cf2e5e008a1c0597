#!lua flags=allow-oom
-- webhook_pass: the reader that copies events into outboxes goes on past entries that no endpoint wants.
-- KEYS 1 meta, 2 lease:steward, 3 cur:webhooks   ARGV 1 fence, 2 cursor as the reader knows it ('' none), 3 its next one
-- Answers {'ok'}, refused fence or cursor (another reader was here) with the cursor.
local fence = redis.call('GET', KEYS[2])
if not fence or (fence ~= ARGV[1] and fence:sub(1, #ARGV[1] + 1) ~= ARGV[1] .. ' ') then
	return { 'refused', 'fence' }
end
local cursor = redis.call('GET', KEYS[3]) or ''
if cursor ~= ARGV[2] and cursor ~= ARGV[3] then
	return { 'refused', 'cursor', cursor }
end

redis.call('SET', KEYS[3], ARGV[3])
return { 'ok' }
