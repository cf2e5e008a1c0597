#!lua flags=no-writes
-- suggestions_read: who else a customer may be.
-- KEYS 1 meta, 2 sg:<cus>
-- Answers a list of {other, JSON, other's name, other's version, whom it was merged into ('' none)}, as they are stored.
local ws = KEYS[1]:sub(1, -5)
local all = redis.call('HGETALL', KEYS[2])
local answer = {}
for i = 1, #all, 2 do
	local u = redis.call('HMGET', ws .. 'u:' .. all[i], 'nm', 'v', 'to')
	answer[#answer + 1] = { all[i], all[i + 1], u[1] or '', u[2] or '0', u[3] or '' }
end
return answer
