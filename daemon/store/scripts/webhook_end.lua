#!lua flags=allow-oom
-- webhook_end: how an attempt to deliver an event ended.
-- KEYS 1 meta
-- ARGV 1 endpoint, 2 event, 3 attempts before it, 4 done, retry, dead or gone (410: the endpoint wants no more), 5 HTTP
--      status or 0, 6 what went wrong or '', 7 ms until the next attempt, 8 ms of failing after which the endpoint is
--      switched off, 9 version of its configuration, for which that counts
-- waiting -> delivered, waiting (again later), dead.
-- Answers {'ok', waiting, delivered or dead, why the endpoint is off or ''}, duplicate (ended before), refused not_found.
--@use webhook
local event, outcome = ARGV[2], ARGV[4]
local keys = webhook_keys(ARGV[1])
local one = keys.one .. event
local d = call('HMGET', one, 's', 'at', 'n')
if not d[1] then
	return { 'refused', 'not_found' }
end
if d[1] ~= 'waiting' or d[2] ~= ARGV[3] then
	return { 'duplicate', d[1] }
end
local state = call('HMGET', keys.state, 'fs', 'off', 'ov')
local is_done, is_over = outcome == 'done', outcome ~= 'retry'
local since = tonumber(state[1] or now)
local off = state[3] == ARGV[9] and state[2] or ''
local turns_off = ''
if off == '' and outcome == 'gone' then
	turns_off = 'gone'
elseif off == '' and not is_done and now - since >= tonumber(ARGV[8]) then
	turns_off = 'failing'
end
local list = is_done and 'over' or 'dead'
local old = is_over and webhook_old(keys[list], webhook_keeps[list], 1) or {}
local word = is_done and 'delivered' or is_over and 'dead' or 'waiting'

webhook_drop(keys, keys[list], old)
call('HSET', one, 's', word, 'at', d[2] + 1, 'st', ARGV[5], 'er', ARGV[6], 'nx', is_over and 0 or now + ARGV[7], 'ut', now)
if is_over then
	call('ZREM', keys.waiting, event)
	call('ZREM', keys.due, event)
	call('ZADD', keys[list], d[3], event)
	call('HINCRBY', keys.state, is_done and 'ok' or 'dead', 1)
else
	call('ZADD', keys.due, now + ARGV[7], event)
end
if is_done then
	call('HDEL', keys.state, 'fs')
	call('HSET', keys.state, 'ls', now)
else
	call('HSET', keys.state, 'fs', since, 'lf', now, 'st', ARGV[5], 'er', ARGV[6])
end
if turns_off ~= '' then
	call('HSET', keys.state, 'off', turns_off, 'oa', now, 'ov', ARGV[9])
end
return { 'ok', word, turns_off ~= '' and turns_off or off }
