#!lua
-- suggestion_end: what became of a suggestion; both sides say it.
-- KEYS 1 meta, 2 sg:<cus>, 3 sg:<other>   (derived: those of whom they were merged into)
-- ARGV 1 idempotency key, 2 request hash, 3 cus, 4 other, 5 state (accepted, dismissed), 6 the same with who and when, as JSON members
-- open -> accepted, dismissed. Entry customer.updated for each side that is there. Answers {'ok', state}, {'replay', 'ok', state}, or
-- refused not_found, illegal_state (with the state it has).
--@use log
--@use idem
--@use suggest
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local ids = { ARGV[3], ARGV[4] }
for i = 1, 2 do
	ids[i] = redis.call('HGET', ws .. 'u:' .. ids[i], 'to') or ids[i]
end
local fields, texts, versions = {}, {}, {}
for i = 1, 2 do
	local mf, known = {}
	for id in (redis.call('HGET', ws .. 'u:' .. ids[3 - i], 'mf') or ''):gmatch('%S+') do
		mf[#mf + 1] = id
	end
	fields[i], known = suggestion_find(ids[i], ids[3 - i], mf)
	texts[i] = known and known:match('^{"state":"open",(.*)$')
	versions[i] = redis.call('HGET', ws .. 'u:' .. ids[i], 'v')
	if i == 1 and not known then
		return { 'refused', 'not_found' }
	end
	if i == 1 and not texts[i] then
		return { 'refused', 'illegal_state', known:match('^{"state":"(%a+)"') }
	end
end

for i = 1, 2 do
	if texts[i] then
		redis.call('HSET', ws .. 'sg:' .. ids[i], fields[i], '{"state":"' .. ARGV[5] .. '",' .. ARGV[6] .. ',' .. texts[i])
	end
	if versions[i] then
		append('t', 'customer.updated', 'u', ids[i], 'v', versions[i], 'e', '{"suggestions":1}')
	end
end
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[5] })
