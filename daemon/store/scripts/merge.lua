#!lua
-- merge: two customers are one person. Identifiers move and a redirect stays; nothing else does.
-- KEYS 1 meta, 2 u:<into>, 3 u:<from>, 4 mg:<mrg>
-- ARGV 1 idempotency key, 2 request hash, 3 into, 4 from, 5 mrg, 6, 7 versions they have ('' whichever), 8 who, 9 evidence JSON,
--      10 '1': nobody decided it, a proof did, 11 '1': only where an open suggestion says so
-- Refused: not_found, moved (to whom), erasing, self, version (the customer), too_many; where a proof decided also dismissed (a person said no) and
-- distinct (a person proved each to be another one: of one kind and scope, both have an identifier that the other has not); of a suggestion
-- no_suggestion and decided (its state). What the one that goes knows beside its identifiers (name,
-- attributes, notes, orders) stays in its record, where the view and a revert find it. Both sides' suggestions of each other end.
-- Entry customer.merged (x the other one). Answers {'ok', mrg, into, version, from, version, identifiers moved, conversations moved}.
--@use log
--@use idem
--@use person
--@use suggest
local call = redis.call
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local into, from, mrg = person_read(ARGV[3]), person_read(ARGV[4]), ARGV[5]
for i, p in ipairs({ into or false, from or false }) do
	if not p then
		return { 'refused', 'not_found', ARGV[2 + i] }
	end
	if p.to then
		return { 'refused', 'moved', p.id, p.to }
	end
	if p.er then
		return { 'refused', 'erasing', p.id }
	end
	if ARGV[5 + i] ~= '' and tonumber(ARGV[5 + i]) ~= p.v then
		return { 'refused', 'version', p.id, p.v }
	end
end
if into.id == from.id then
	return { 'refused', 'self' }
end
if into.count + from.count > PERSON_MAX or #into.mf + #from.mf + 1 > PERSON_MAX then
	return { 'refused', 'too_many' }
end
local hint_at, hint = suggestion_find(into.id, from.id, from.mf)
local back_at = suggestion_find(from.id, into.id, into.mf)
if ARGV[11] == '1' and not hint then
	return { 'refused', 'no_suggestion' }
end
if ARGV[11] == '1' and not hint:find('^{"state":"open"') then
	return { 'refused', 'decided', from.id, hint:match('^{"state":"(%a+)"') }
end
if ARGV[10] == '1' then
	if hint and hint:sub(1, 20) == '{"state":"dismissed"' then
		return { 'refused', 'dismissed' }
	end
	local known = {}
	for hex, record in pairs(into.has) do
		local kind = person_proved(record)
		if kind then
			known[kind] = known[kind] or not from.has[hex]
		end
	end
	for hex, record in pairs(from.has) do
		local kind = person_proved(record)
		if kind and known[kind] and not into.has[hex] then
			return { 'refused', 'distinct' }
		end
	end
end
local talks = person_talks(from)
local all = person_talks(into)
for _, talk in ipairs(talks) do
	all[#all + 1] = talk
end
table.sort(all, function(a, b) return a[2] > b[2] or (a[2] == b[2] and a[1] > b[1]) end)
local cases = {}
for _, wrk in ipairs(from.wk) do
	if call('EXISTS', ws .. 'w:' .. wrk) == 1 then
		cases[#cases + 1] = wrk
	end
end
local hints, room = call('HGETALL', ws .. 'sg:' .. from.id), 16 - call('HLEN', ws .. 'sg:' .. into.id)
local free = {}
for i = 1, #hints, 2 do
	if hints[i] ~= (back_at or into.id) and room > 0 and call('HEXISTS', ws .. 'sg:' .. into.id, hints[i]) == 0 then
		room = room - 1
		free[#free + 1] = i
	end
end
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

local hexes, both, cv, mf = {}, {}, {}, { from.id }
for hex in pairs(from.has) do
	local list = into.has[hex] and both or hexes
	list[#list + 1] = hex
end
table.sort(hexes)
table.sort(both)
local places, took = person_places(from, hexes), {}
for _, place in ipairs(places) do
	place.via = mrg
end
for _, place in ipairs(person_places(from, both)) do
	if place.is_own then
		places[#places + 1] = place
		took[#took + 1] = place.hex
	end
end
for i = 1, math.min(#all, 50) do
	cv[i] = all[i][1]
end
for _, list in ipairs({ into.mf, from.mf }) do
	for _, cus in ipairs(list) do
		mf[#mf + 1] = cus
	end
end
local wk = {}
for _, list in ipairs({ cases, into.wk }) do
	for _, wrk in ipairs(list) do
		wk[#wk + 1] = #wk < 50 and wrk or nil
	end
end

-- What both claimed stays as the survivor has it, and is kept for a revert.
for _, hex in ipairs(both) do
	call('HSET', KEYS[4], 'i:' .. hex, from.has[hex])
	call('HDEL', KEYS[3], 'i:' .. hex, 'b:' .. hex)
	from.has[hex] = nil
end
for hex, earlier in pairs(from.via) do
	call('HSET', KEYS[4], 'b:' .. hex, earlier)
end
person_move(from, into.id, places)
for _, cus in ipairs(from.mf) do
	call('HSET', ws .. 'u:' .. cus, 'to', into.id)
end
for _, talk in ipairs(talks) do
	person_talk(talk, into.id)
end
for _, wrk in ipairs(cases) do
	call('HSET', ws .. 'w:' .. wrk, 'u', into.id)
end
person_list(into.id, 'cv', cv)
person_list(into.id, 'wk', wk)
person_list(into.id, 'mf', mf)
call('HSET', KEYS[2], 'v', into.v + 1)
call('HDEL', KEYS[3], 'cv', 'wk')
call('HSET', KEYS[3], 'to', into.id, 'v', from.v + 1)
for _, i in ipairs(free) do
	call('HSET', ws .. 'sg:' .. into.id, hints[i], hints[i + 1])
end
call('HDEL', ws .. 'sg:' .. into.id, hint_at or from.id)
call('HDEL', ws .. 'sg:' .. from.id, back_at or into.id)
call('HSET', KEYS[4], 'k', 'merge', 's', 'merged', 'into', into.id, 'from', from.id, 'ids', table.concat(hexes, ' '), 'both',
	table.concat(both, ' '), 'took', table.concat(took, ' '), 'wk', table.concat(cases, ' '), 'ev', ARGV[9], 'sg', hint or '', 'by',
	ARGV[8], 'at', now)
call('ZADD', ws .. 'mgs:' .. into.id, now, mrg)
call('ZADD', ws .. 'mgs:' .. from.id, now, mrg)
append('t', 'customer.merged', 'u', into.id, 'x', from.id, 'v', into.v + 1, 'e', '{"kind":"merge","merge":"' .. mrg .. '"}')
return idem_keep(ARGV[1], ARGV[2], { 'ok', mrg, into.id, into.v + 1, from.id, from.v + 1, #hexes, #talks })
