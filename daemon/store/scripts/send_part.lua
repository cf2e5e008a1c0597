#!lua flags=allow-oom
-- send_part: one part of a message has left and the next one begins. Only the holder of the token says so.
-- KEYS 1 meta, 2 x:<msg>   ARGV 1 cnv, 2 token, 3 how many have left, 4 ms until the next counts as lost
-- Stays sending; due moves to now + timeout. An attempt that comes later begins behind what has left.
-- Answers {'ok'} or refused token.
--@use log
--@use outbox
local x = call('HMGET', KEYS[2], 's', 'tk')
if x[1] ~= 'sending' or x[2] ~= ARGV[2] then
	return { 'refused', x[1] and 'token' or 'not_found', x[1] or '' }
end
local window = call('HGET', ws .. 'c:' .. ARGV[1], 'wd')
local before = tonumber(call('HGET', KEYS[2], 'pt') or 0)

call('HSET', KEYS[2], 'pt', ARGV[3])
call('ZADD', ws .. 'od', now + ARGV[4], ARGV[1])
if before < tonumber(ARGV[3]) then
	window_use(ARGV[1], window)
end
return { 'ok' }
