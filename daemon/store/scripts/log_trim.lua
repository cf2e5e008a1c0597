#!lua flags=allow-oom
-- log_trim: drops entries that are old and that every registered durable reader has passed.
-- KEYS 1 meta, 2 log, then cur:<reader> of each registered reader   ARGV 1 age to keep, ms
-- A reader without a cursor, or with one of another generation, has read nothing yet: nothing goes.
-- Answers {'ok', entries dropped, entries left, oldest id before or ''}.
local time = redis.call('TIME')
local gen = redis.call('HGET', KEYS[1], 'gen') or '1'
local ms, seq = time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[1], 0
local is_held = false
for i = 3, #KEYS do
	local cursor = redis.call('GET', KEYS[i]) or ''
	local g, m, s = cursor:match('^(%d+)-(%d+)-(%d+)$')
	if g ~= gen then
		is_held = true
	else
		m, s = tonumber(m), tonumber(s)
		if m < ms or (m == ms and s < seq) then
			ms, seq = m, s
		end
	end
end
local left = redis.call('XLEN', KEYS[2])
local first = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)
local oldest = first[1] and first[1][1] or ''
if is_held or left == 0 or ms <= 0 then
	return { 'ok', 0, left, oldest }
end
local dropped = redis.call('XTRIM', KEYS[2], 'MINID', '~', string.format('%.0f-%.0f', ms, seq))
return { 'ok', dropped, left - dropped, oldest }
