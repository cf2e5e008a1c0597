#!lua
-- webhook_copy: events of the log come into the outboxes of the endpoints that want them, and the reader's cursor goes on.
-- KEYS 1 meta, 2 lease:steward, 3 cur:webhooks
-- ARGV 1 fence, 2 cursor as the reader knows it ('' none), 3 its next one, then for each copy: endpoint, how many may
--      wait there, event, its type, its JSON
-- An event that is there already is not copied again. Beyond what may wait the oldest become dead.
-- Answers {'ok', copied, dead of it}, refused fence or cursor (another reader was here) with the cursor.
--@use webhook
local fence = call('GET', KEYS[2])
if not fence or (fence ~= ARGV[1] and fence:sub(1, #ARGV[1] + 1) ~= ARGV[1] .. ' ') then
	return { 'refused', 'fence' }
end
local cursor = call('GET', KEYS[3]) or ''
if cursor == ARGV[3] then
	return { 'ok', 0, 0 }
end
if cursor ~= ARGV[2] then
	return { 'refused', 'cursor', cursor }
end
local plans, list = {}, {}
for i = 4, #ARGV, 5 do
	local plan = plans[ARGV[i]]
	if not plan then
		local keys = webhook_keys(ARGV[i])
		plan = { id = ARGV[i], keys = keys, number = tonumber(call('HGET', keys.state, 'n') or '0'),
			waiting = call('ZCARD', keys.waiting), limit = tonumber(ARGV[i + 1]), new = {} }
		plans[ARGV[i]] = plan
		list[#list + 1] = plan
	end
	if call('EXISTS', plan.keys.one .. ARGV[i + 2]) == 0 then
		plan.new[#plan.new + 1] = i
	end
end
local copied, dead = 0, 0
for _, plan in ipairs(list) do
	plan.surplus = webhook_old(plan.keys.waiting, plan.limit, #plan.new)
	plan.scores = {}
	for i, event in ipairs(plan.surplus) do
		plan.scores[i] = call('ZSCORE', plan.keys.waiting, event)
	end
	plan.old = webhook_old(plan.keys.dead, webhook_keeps.dead, #plan.surplus)
	copied = copied + #plan.new
	dead = dead + #plan.surplus
end

for _, plan in ipairs(list) do
	local keys = plan.keys
	webhook_drop(keys, keys.dead, plan.old)
	for i, event in ipairs(plan.surplus) do
		call('ZREM', keys.waiting, event)
		call('ZREM', keys.due, event)
		call('ZADD', keys.dead, plan.scores[i], event)
		call('HSET', keys.one .. event, 's', 'dead', 'er', 'too many events wait', 'ut', now)
	end
	for i, at in ipairs(plan.new) do
		webhook_fresh(keys, ARGV[at + 2], plan.number + i, 't', ARGV[at + 3], 'e', ARGV[at + 4], 'ct', now)
	end
	if #plan.new > 0 then
		call('HSET', keys.state, 'n', plan.number + #plan.new)
		call('SADD', ws .. 'whs', plan.id)
	end
	if #plan.surplus > 0 then
		call('HINCRBY', keys.state, 'full', #plan.surplus)
		call('HINCRBY', keys.state, 'dead', #plan.surplus)
	end
end
call('SET', KEYS[3], ARGV[3])
return { 'ok', copied, dead }
