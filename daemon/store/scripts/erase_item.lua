#!lua flags=allow-oom
-- erase_item: a work item without a conversation, which has ended, goes.
-- KEYS 1 meta, 2 lease:steward, 3 w:<wrk>   ARGV 1 fence, 2 wrk
-- Refused fence, open (with its state). Answers {'ok'}.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
if (call('GET', KEYS[2]) or ''):match('^%S+') ~= ARGV[1] then
	return { 'refused', 'fence' }
end
local w = call('HMGET', KEYS[3], 's', 'tc', 'tr', 'cp', 'tm')
if w[1] and w[1] ~= 'closed' and w[1] ~= 'cancelled' then
	return { 'refused', 'open', ARGV[2], w[1] }
end
for k = 2, 4 do
	for trf in (w[k] or ''):gmatch('trf_%w+') do
		call('UNLINK', ws .. 't:' .. trf)
	end
end
call('UNLINK', KEYS[3])
for _, set in ipairs({ 'wx', 'wz', 'rest', 'sla' }) do
	call('ZREM', ws .. set, ARGV[2])
end
if w[5] and w[5] ~= '' then
	call('ZREM', ws .. 'timers', w[5])
end
return { 'ok' }
