#!lua
-- split: one identifier is somebody else's. It becomes a customer of its own, with its conversations, also those that came since.
-- KEYS 1 meta, 2 u:<cus>, 3 u:<new>, 4 mg:<mrg>
-- ARGV 1 idempotency key, 2 request hash, 3 cus, 4 new, 5 mrg, 6 version it has ('' whichever), 7 identifier hash (hex), 8 name of the new one,
--      9 who, 10 why
-- Refused: not_found, moved, erasing, version, no_identifier, last (a customer keeps one). Entry customer.merged. Answers {'ok', mrg, new, version of
-- the new one, cus, its version, 1, conversations moved}.
--@use log
--@use idem
--@use person
--@use suggest
local call = redis.call
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local p, new, mrg, hex = person_read(ARGV[3]), ARGV[4], ARGV[5], ARGV[7]
if not p then
	return { 'refused', 'not_found', ARGV[3] }
end
if p.to then
	return { 'refused', 'moved', p.id, p.to }
end
if p.er then
	return { 'refused', 'erasing', p.id }
end
if ARGV[6] ~= '' and tonumber(ARGV[6]) ~= p.v then
	return { 'refused', 'version', p.id, p.v }
end
if not p.has[hex] then
	return { 'refused', 'no_identifier' }
end
if p.count < 2 then
	return { 'refused', 'last' }
end
local talks = person_talks(p, { [hex] = true })
local moved, kept, taken = {}, {}, {}
for _, talk in ipairs(talks) do
	moved[talk[1]] = true
	taken[#taken + 1] = talk[1]
end
for _, cnv in ipairs(p.cv) do
	kept[#kept + 1] = not moved[cnv] and cnv or nil
end
-- What is held is held in both parts.
local hold = p.hold
for _, cus in ipairs(p.mf) do
	hold = hold or call('HGET', ws .. 'u:' .. cus, 'hold')
end
local places = person_places(p, { hex })
places[1].via = mrg
local here = suggestion_room(p.id, new, 100)
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

call('HSET', KEYS[3], 'nm', ARGV[8], 'ct', now, 'v', 1)
if hold then
	call('HSET', KEYS[3], 'hold', hold)
end
person_move(p, new, places)
for _, talk in ipairs(talks) do
	person_talk(talk, new)
end
person_list(p.id, 'cv', kept)
person_list(new, 'cv', taken)
call('HSET', KEYS[2], 'v', p.v + 1)
if p.via[hex] then
	call('HSET', KEYS[4], 'b:' .. hex, p.via[hex])
end
if here then
	suggestion_no(p.id, new, here, ARGV[9], now)
	suggestion_no(new, p.id, '', ARGV[9], now)
end
call('HSET', KEYS[4], 'k', 'split', 's', 'merged', 'into', new, 'from', p.id, 'ids', hex, 'ev', ARGV[10], 'by', ARGV[9], 'at', now)
call('ZADD', ws .. 'mgs:' .. p.id, now, mrg)
call('ZADD', ws .. 'mgs:' .. new, now, mrg)
append('t', 'customer.merged', 'u', new, 'x', p.id, 'v', 1, 'e', '{"kind":"split","merge":"' .. mrg .. '"}')
return idem_keep(ARGV[1], ARGV[2], { 'ok', mrg, new, 1, p.id, p.v + 1, 1, #talks })
