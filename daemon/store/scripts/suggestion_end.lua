#!lua
-- suggestion_end: what became of a suggestion; both sides say it.
-- KEYS 1 meta, 2 sg:<cus>, 3 sg:<other>
-- ARGV 1 idempotency key, 2 request hash, 3 cus, 4 other, 5 state (accepted, dismissed), 6 the same with who and when, as JSON members
-- open -> accepted, dismissed. Entry customer.updated for each side that is there. Answers {'ok', state}, {'replay', 'ok', state}, or
-- refused not_found, illegal_state (with the state it has).
--@use log
--@use idem
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local fields = { ARGV[4], ARGV[3] }
local texts, versions = {}, {}
for i = 1, 2 do
	local known = redis.call('HGET', KEYS[1 + i], fields[i])
	texts[i] = known and known:match('^{"state":"open",(.*)$')
	versions[i] = redis.call('HGET', ws .. 'u:' .. ARGV[2 + i], 'v')
	if i == 1 and not known then
		return { 'refused', 'not_found' }
	end
	if i == 1 and not texts[i] then
		return { 'refused', 'illegal_state', known:match('^{"state":"(%a+)"') }
	end
end

for i = 1, 2 do
	if texts[i] then
		redis.call('HSET', KEYS[1 + i], fields[i], '{"state":"' .. ARGV[5] .. '",' .. ARGV[6] .. ',' .. texts[i])
	end
	if versions[i] then
		append('t', 'customer.updated', 'u', ARGV[2 + i], 'v', versions[i])
	end
end
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[5] })
