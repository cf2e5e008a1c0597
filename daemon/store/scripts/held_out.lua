#!lua flags=no-writes
-- held_out: what of a work item is held out to an agent: a consultation, a transfer, else an offer.
-- KEYS 1 meta   ARGV 1 wrk, 2 agent
-- Answers {kind, id of the object, queue and channel of the item}: consult, transfer (also one to another agent while nothing is
-- offered), or offer.
local ws = KEYS[1]:sub(1, -5)
local w = redis.call('HMGET', ws .. 'w:' .. ARGV[1], 'cp', 'tr', 's', 'q', 'ch')
if w[1] and w[1] ~= '' and redis.call('HGET', ws .. 't:' .. w[1], 'to') == ARGV[2] then
	return { 'consult', w[1], w[4], w[5] or '' }
end
if w[2] and w[2] ~= '' then
	local t = redis.call('HMGET', ws .. 't:' .. w[2], 'tk', 'to')
	if t[1] == 'agent' and (t[2] == ARGV[2] or w[3] ~= 'offered') then
		return { 'transfer', w[2], w[4], w[5] or '' }
	end
end
return { 'offer', '', w[4] or '' }
