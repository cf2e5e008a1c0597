#!lua flags=allow-oom
-- sla_put: what one fact did to the clocks of an item: activate, pause, resume, warn, fulfil, breach, cancel.
-- KEYS 1 meta, 2 lease:steward, 3 w:<wrk>
-- ARGV 1 fence, 2 wrk, 3 its clocks as they were read, 4 as they are from now on ('' none), 5 attention (warned,
--      breached or ''), 6 when time alone changes them next ('' never), 7 unix ms that must have passed without an
--      entry of the log between 8 (the id up to which it was read) and it ('' both: a log entry is the fact),
--      9 minutes to add to the priority, 10 '1' sets 11 the urgency, 12 the clocks as the API shows them (JSON), then
--      for each event 4: state before, state after, policy, JSON
-- Entries sla.state, one an event. Also in a full store: the log is trimmed only behind its readers, and this one has to
-- write to pass. Refused fence, not_found, changed (the clocks are others now), early, behind (an
-- entry before that time is unread: it may have met the deadline).
--@use log
local call = redis.call
local fence = call('GET', KEYS[2])
if not fence or (fence ~= ARGV[1] and fence:sub(1, #ARGV[1] + 1) ~= ARGV[1] .. ' ') then
	return { 'refused', 'fence' }
end
local w = call('HMGET', KEYS[3], 's', 'v', 'q', 'c', 'u', 'ch', 'a', 'sc')
if not w[1] then
	call('ZREM', ws .. 'sla', ARGV[2])
	return { 'refused', 'not_found' }
end
if (w[8] or '') ~= ARGV[3] then
	return { 'refused', 'changed' }
end
if ARGV[7] ~= '' then
	local clock = call('TIME')
	if clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000 < tonumber(ARGV[7]) then
		return { 'refused', 'early' }
	end
	if call('XRANGE', ws .. 'log', '(' .. ARGV[8], ARGV[7], 'COUNT', 1)[1] then
		return { 'refused', 'behind' }
	end
end

if ARGV[4] == '' then
	call('HDEL', KEYS[3], 'sc', 'sl', 'sla')
else
	call('HSET', KEYS[3], 'sc', ARGV[4], 'sl', ARGV[5], 'sla', ARGV[12])
end
if ARGV[6] == '' then
	call('ZREM', ws .. 'sla', ARGV[2])
else
	call('ZADD', ws .. 'sla', ARGV[6], ARGV[2])
end
if ARGV[9] ~= '0' then
	call('HINCRBY', KEYS[3], 'pr', ARGV[9])
end
if ARGV[10] == '1' then
	call('HSET', KEYS[3], 'ur', ARGV[11])
end
for i = 13, #ARGV, 4 do
	append('t', 'sla.state', 'w', ARGV[2], 'c', w[4] or '', 'u', w[5] or '', 'a', w[7] or '', 'q', w[3] or '', 'ch',
		w[6] or '', 'f', ARGV[i], 'o', ARGV[i + 1], 'v', w[2], 'x', ARGV[i + 2], 'e', ARGV[i + 3])
end
return { 'ok' }
