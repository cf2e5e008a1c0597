#!lua
-- merge_revert: the two were not one person after all, or one address was split off by mistake.
-- KEYS 1 meta, 2 mg:<mrg>   ARGV 1 idempotency key, 2 request hash, 3 mrg, 4, 5 versions of the customer that has the identifiers and of the one
--      that gets them back ('' whichever), 6 who
-- The identifiers that moved and did not go elsewhere since go back, with their conversations, also those that began since; so do the
-- customers who had come with them. Refused: not_found, reverted, moved (the split-off customer was merged since: revert that first), gone
-- (nothing of it is there any more), erasing, version, too_many.
-- Entry customer.merged. Answers {'ok', mrg, customer that gets, its version, customer that had, its version, identifiers, conversations}.
--@use log
--@use idem
--@use person
--@use suggest
local call = redis.call
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local m = call('HMGET', KEYS[2], 'k', 's', 'into', 'from', 'ids', 'wk', 'both', 'took')
if not m[1] then
	return { 'refused', 'not_found' }
end
if m[2] ~= 'merged' then
	return { 'refused', 'reverted' }
end
local back = person_read(m[4])
-- A split came from a customer that may have been merged since; a merge went into one.
if back and m[1] == 'split' and back.to then
	back = person_read(back.to)
end
local first = person_read(m[3])
if not back or not first then
	return { 'refused', 'gone' }
end
local has = m[1] == 'merge' and back.to and person_read(back.to) or (m[1] == 'split' and not first.to and first or nil)
if not has then
	return { 'refused', 'moved', first.id, first.to or '' }
end
if has.er then
	return { 'refused', 'erasing', has.id }
end
if has.id == back.id then
	return { 'refused', 'gone' }
end
for i, p in ipairs({ has, back }) do
	if ARGV[3 + i] ~= '' and tonumber(ARGV[3 + i]) ~= p.v then
		return { 'refused', 'version', p.id, p.v }
	end
end
local hexes, only = {}, {}
for _, hex in ipairs(words(m[5])) do
	if has.has[hex] and person_brought(has, hex, ARGV[3]) then
		hexes[#hexes + 1] = hex
		only[hex] = true
	end
end
if #hexes == 0 and m[1] == 'split' then
	return { 'refused', 'gone' }
end
if back.count + #hexes + #words(m[7]) > PERSON_MAX or (m[1] == 'split' and #back.mf + #has.mf + 1 > PERSON_MAX) then
	return { 'refused', 'too_many' }
end
local places = person_places(has, hexes)
for _, place in ipairs(places) do
	place.via = call('HGET', KEYS[2], 'b:' .. place.hex) or nil
end
-- What both had is of both again; its place in the index goes back if it came from there.
local both, taken = {}, person_places(has, words(m[8]))
for _, hex in ipairs(words(m[7])) do
	local kept = call('HMGET', KEYS[2], 'i:' .. hex, 'b:' .. hex)
	both[#both + 1] = { hex, kept[1], kept[2] }
end
for _, place in ipairs(taken) do
	only[place.hex] = place.is_own or nil
end
local talks = person_talks(has, only)
local gone = { [back.id] = true }
for _, cus in ipairs(back.mf) do
	gone[cus] = true
end
local cv, wk, cases, mf = {}, {}, {}, {}
local moved = {}
for _, talk in ipairs(talks) do
	moved[talk[1]] = true
end
for _, cnv in ipairs(has.cv) do
	cv[#cv + 1] = not moved[cnv] and cnv or nil
end
local mine = {}
for _, wrk in ipairs(words(m[6])) do
	mine[wrk] = true
end
for _, wrk in ipairs(has.wk) do
	if mine[wrk] and call('EXISTS', ws .. 'w:' .. wrk) == 1 then
		cases[#cases + 1] = wrk
	else
		wk[#wk + 1] = wrk
	end
end
for _, cus in ipairs(has.mf) do
	mf[#mf + 1] = not gone[cus] and cus or nil
end
-- Those between the two, merged themselves by now, know whom they brought along.
local between = {}
for _, cus in ipairs(m[1] == 'merge' and mf or {}) do
	local knew, knows = words(call('HGET', ws .. 'u:' .. cus, 'mf')), {}
	for _, other in ipairs(knew) do
		knows[#knows + 1] = not gone[other] and other or nil
	end
	if #knows < #knew then
		between[#between + 1] = { cus, knows }
	end
end
local own = person_talks(back)
for _, talk in ipairs(talks) do
	own[#own + 1] = talk
end
table.sort(own, function(a, b) return a[2] > b[2] or (a[2] == b[2] and a[1] > b[1]) end)
local back_cv, back_wk = {}, {}
for i = 1, math.min(#own, 50) do
	back_cv[i] = own[i][1]
end
for _, list in ipairs({ cases, back.wk }) do
	for _, wrk in ipairs(list) do
		back_wk[#back_wk + 1] = #back_wk < 50 and wrk or nil
	end
end
-- Somebody says that they are not one: nobody suggests it again. Or that they are, after all.
local here, there
if m[1] == 'merge' then
	here, there = suggestion_room(back.id, has.id, 100), suggestion_room(has.id, back.id, 100)
end
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

person_move(has, back.id, places)
for _, place in ipairs(taken) do
	if place.is_own then
		call('HSET', place.key, place.field, back.id)
	end
end
for _, one in ipairs(both) do
	call('HSET', ws .. 'u:' .. back.id, 'i:' .. one[1], one[2])
	if one[3] then
		call('HSET', ws .. 'u:' .. back.id, 'b:' .. one[1], one[3])
	end
end
for _, talk in ipairs(talks) do
	person_talk(talk, back.id)
end
for _, wrk in ipairs(cases) do
	call('HSET', ws .. 'w:' .. wrk, 'u', back.id)
end
person_list(has.id, 'cv', cv)
person_list(back.id, 'cv', back_cv)
person_list(back.id, 'wk', back_wk)
call('HSET', ws .. 'u:' .. has.id, 'v', has.v + 1)
-- A hold was put on the two as one: neither is free of it.
if has.hold and not back.hold then
	call('HSET', ws .. 'u:' .. back.id, 'hold', has.hold)
end
call('HSET', ws .. 'u:' .. back.id, 'v', back.v + 1)
if m[1] == 'merge' then
	person_list(has.id, 'wk', wk)
	person_list(has.id, 'mf', mf)
	for _, one in ipairs(between) do
		person_list(one[1], 'mf', one[2])
	end
	call('HDEL', ws .. 'u:' .. back.id, 'to')
	for _, cus in ipairs(back.mf) do
		call('HSET', ws .. 'u:' .. cus, 'to', back.id)
	end
end
if m[1] == 'split' and has.count == #hexes then
	-- The one that was split off has nothing left: it is the other again.
	call('HSET', ws .. 'u:' .. has.id, 'to', back.id)
	call('HDEL', ws .. 'u:' .. has.id, 'cv', 'wk')
	back.mf[#back.mf + 1] = has.id
	for _, cus in ipairs(has.mf) do
		call('HSET', ws .. 'u:' .. cus, 'to', back.id)
		back.mf[#back.mf + 1] = cus
	end
	person_list(back.id, 'mf', back.mf)
end
if here and there then
	suggestion_no(back.id, has.id, here, ARGV[6], now)
	suggestion_no(has.id, back.id, there, ARGV[6], now)
elseif m[1] == 'split' then
	call('HDEL', ws .. 'sg:' .. back.id, has.id)
	call('HDEL', ws .. 'sg:' .. has.id, back.id)
end
call('HSET', KEYS[2], 's', 'reverted', 'rb', ARGV[6], 'ra', now)
append('t', 'customer.merged', 'u', back.id, 'x', has.id, 'v', back.v + 1, 'e', '{"kind":"revert","merge":"' .. ARGV[3] .. '"}')
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[3], back.id, back.v + 1, has.id, has.v + 1, #hexes, #talks })
