#!lua flags=no-writes
-- offers_read: what an agent is asked to take right now.
-- KEYS 1 meta   ARGV 1 agent
-- Answers one list each: id, kind (offer, transfer, escalation, consult), wrk, queue, created ms, until ms, then of all but offers
-- from agent, reason, summary, level. The pending offer first, then by deadline, at most 100.
local ws = KEYS[1]:sub(1, -5)
local clock = redis.call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local answer = {}
local off = redis.call('HGET', ws .. 'a:' .. ARGV[1], 'o')
local o = off and off ~= '' and redis.call('HMGET', ws .. 'o:' .. off, 's', 'w', 'q', 'ct', 'ex') or {}
if o[1] == 'pending' then
	answer[1] = { off, 'offer', o[2], o[3], o[4], o[5], '', '', '', '' }
end
for _, trf in ipairs(redis.call('ZRANGEBYSCORE', ws .. 'ask:' .. ARGV[1], now, '+inf', 'LIMIT', 0, 100)) do
	local t = redis.call('HMGET', ws .. 't:' .. trf, 's', 'k', 'w', 'fq', 'ct', 'ex', 'from', 'rs', 'sum', 'lv')
	if t[1] == 'pending' then
		answer[#answer + 1] = { trf, t[2], t[3], t[4], t[5], t[6], t[7] or '', t[8] or '', t[9] or '', t[10] or '' }
	end
end
return answer
