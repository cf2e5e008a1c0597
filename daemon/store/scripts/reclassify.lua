#!lua
-- reclassify: what a classifier says of an item that nobody has touched since it was made.
-- KEYS 1 meta, 2 lease:steward, 3 w:<wrk>
-- ARGV 1 fence, 2 wrk, 3 version, 4 classifier, 5 type, 6 topic, 7 urgency, 8 queue (each '': as it is), 9 confidence
--      in percent, 10 '1': a person should look
-- queued -> queued (there, at its place by time). Fields cb classifier, cf confidence, nh 1; rg names the classifier
-- for what it gave. Entry work_item.state, x classifier:<id>, e classified. Refused fence, version, illegal_state.
--@use log
--@use work
local fence = call('GET', KEYS[2])
if not fence or (fence ~= ARGV[1] and fence:sub(1, #ARGV[1] + 1) ~= ARGV[1] .. ' ') then
	return { 'refused', 'fence' }
end
local w = item_read(ARGV[2])
local refusal = item_check(w, '', ARGV[3], ' queued ')
if refusal then
	return refusal
end
local giver = 'classifier:' .. ARGV[4]
local given = {}
for name in ((call('HGET', KEYS[3], 'rg') or '\n\n') .. '\n'):gmatch('(.-)\n') do
	given[#given + 1] = name
end
local fields = { 'cb', ARGV[4], 'cf', ARGV[9] }
for i, field in ipairs({ 'ty', 'tp', 'ur' }) do
	if ARGV[4 + i] ~= '' then
		fields[#fields + 1], fields[#fields + 2] = field, ARGV[4 + i]
		given[i] = giver
	end
end
if ARGV[8] ~= '' then
	fields[#fields + 1], fields[#fields + 2] = 'ru', giver
	fields[#fields + 1], fields[#fields + 2] = 'q', ARGV[8]
end
if ARGV[10] == '1' then
	fields[#fields + 1], fields[#fields + 2] = 'nh', 1
end
fields[#fields + 1], fields[#fields + 2] = 'rg', table.concat(given, '\n')

item_move(w, 'queued', unpack(fields))
if ARGV[8] ~= '' and ARGV[8] ~= w.q then
	item_unqueue(w)
	w.q = ARGV[8]
	item_queue(w)
end
item_log(w, 'queued', giver, '{"classified":' .. (ARGV[10] == '1' and '"needs_human"' or '1') .. '}')
return item_answer(w)
