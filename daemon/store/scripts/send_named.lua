#!lua flags=allow-oom
-- send_named: the id by which a message will be known outside, where the connector chooses it. Written before the
-- first byte leaves: a bounce finds the message even if the end of its attempt was never told.
-- KEYS 1 meta, 2 x:<msg>, 3 r: bucket, 4 y:<cnv>
-- ARGV 1 msg, 2 token, 3 reference field, 4 prefix-less cnv and msg, 5 the id
-- Answers {'ok'} or refused token.
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local x = call('HMGET', KEYS[2], 's', 'tk', 'n')
if x[1] ~= 'sending' or x[2] ~= ARGV[2] then
	return { 'refused', x[1] and 'token' or 'not_found', x[1] or '' }
end

call('HSET', KEYS[3], ARGV[3], ARGV[4] .. ' ' .. x[3])
call('HSET', KEYS[4], ARGV[1] .. '.id', ARGV[5], '.t', now)
return { 'ok' }
