#!lua flags=allow-oom
-- send_count: one message more for its addressee, before its first byte leaves. Only the holder of the token says so.
-- KEYS 1 meta, 2 x:<msg>, 3 c:<cnv>   ARGV 1 token, 2 messages an hour ('' any number), 3 a day
-- Counted once, however often it is tried. Answers {'ok'}, {'wait', ms} or refused token.
--@use log
--@use caps
local call = redis.call
local x = call('HMGET', KEYS[2], 's', 'tk', 'cc')
if x[1] ~= 'sending' or x[2] ~= ARGV[1] then
	return { 'refused', x[1] and 'token' or 'not_found', x[1] or '' }
end
if x[3] == '1' then
	return { 'ok' }
end
local c = call('HMGET', KEYS[3], 'ch', 'ik')
local caps = cap_list(c[1] or '', c[2] or '', ARGV[2], ARGV[3])
local wait = cap_wait(caps, 0)
if wait then
	return { 'wait', wait }
end

call('HSET', KEYS[2], 'cc', '1')
for _, cap in ipairs(caps) do
	call('INCR', cap[1])
	call('PEXPIRE', cap[1], cap[3], 'NX')
end
return { 'ok' }
