#!lua flags=no-writes
-- transfer_read: how a work item was handed on: its transfers, escalations and consultations, the newest first.
-- KEYS 1 meta   ARGV 1 wrk
-- Answers {'none'} for an unknown item, else one list each: id, then fields and values of t:<trf> (the newest 30 that are kept).
local ws = KEYS[1]:sub(1, -5)
local w = redis.call('HMGET', ws .. 'w:' .. ARGV[1], 's', 'tc')
if not w[1] then
	return { 'none' }
end
local answer = {}
for id in (w[2] or ''):gmatch('%S+') do
	local fields = redis.call('HGETALL', ws .. 't:' .. id)
	if #fields > 0 then
		table.insert(fields, 1, id)
		answer[#answer + 1] = fields
	end
end
return answer
