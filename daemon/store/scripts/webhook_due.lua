#!lua flags=no-writes
-- webhook_due: how endpoints stand, and what is to be sent to them now, the longest due first.
-- KEYS 1 meta   ARGV 1 how many deliveries of each at most, then endpoints
-- Answers for each {endpoint, HGETALL of its state, waiting, delivered, dead (as far as they are kept), due: a flat list
-- of event, attempts, JSON}.
--@use webhook
local answer = {}
for i = 2, #ARGV do
	local keys = webhook_keys(ARGV[i])
	local due = {}
	if ARGV[1] ~= '0' then
		for _, event in ipairs(call('ZRANGEBYSCORE', keys.due, '-inf', now, 'LIMIT', 0, ARGV[1])) do
			local one = call('HMGET', keys.one .. event, 'at', 'e')
			due[#due + 1] = event
			due[#due + 1] = one[1] or '0'
			due[#due + 1] = one[2] or ''
		end
	end
	answer[#answer + 1] = { ARGV[i], call('HGETALL', keys.state), call('ZCARD', keys.waiting),
		call('ZCARD', keys.over), call('ZCARD', keys.dead), due }
end
return answer
