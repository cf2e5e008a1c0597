#!lua
-- thread_move: some messages of one conversation go to another one of the same channel and identifier, or back. One step
-- of a split, a move, a merge or an undo.
-- KEYS 1 meta, 2 c:<from>, 3 m:<from>, 4 c:<to>, 5 m:<to>, 6 mv:<mv>
-- ARGV 1 idempotency key, 2 request hash ('' both but in the first step), 3 from, 4 to, 5 mv, 6 kind (split, move, merge,
--      undo), 7 agent or token, 8 index in from that the next step begins with ('' this is the last one),
--      9 split: subject of the conversation that is made where there is none ('' the same), 10 its newest inbound
--        message's provider id, 11 and time (ms),
--      12 '1' it is open, 13 the messages, each ended by a NUL: index in from, index in to ('' at its end), id, what is left
--         in its place (JSON), bucket of its reference ('' none); with one 16 bytes of field
-- What is left in a message's place keeps every index of the list true; references, delivery marks and files that are to
-- be fetched move along. Refused: not_found, other_identifier, in_flight (an outbound message that is under way, or whose
-- fate nobody has decided), changed (a message is not there any more), state (of a change that is done already).
-- Entry conversation.changed, f from, o to, x mv, m the first message, e kind and indexes: the next to each other.
-- Answers {'ok', mv, messages of from, messages of to}.
--@use log
--@use idem
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local from, to, mv, undo = ARGV[3], ARGV[4], ARGV[5], ARGV[6] == 'undo'
local a = call('HMGET', KEYS[2], 'u', 'ch', 'ik', 'ad', 'nm', 'sub', 'ih', 'n', 's')
local b = call('HMGET', KEYS[4], 'ch', 'ik', 'n')
if not a[1] or (not b[1] and ARGV[6] ~= 'split') then
	return { 'refused', 'not_found' }
end
if b[1] and (b[1] ~= a[2] or b[2] ~= a[3]) then
	return { 'refused', 'other_identifier' }
end
local mine = call('HMGET', KEYS[6], 's', 'n')
if undo and mine[1] ~= 'done' and mine[1] ~= 'running' and mine[1] ~= 'undoing' then
	return { 'refused', mine[1] and 'state' or 'not_found', mine[1] or '' }
end
local u = call('HGET', ws .. 'u:' .. a[1], 'cv')
local size = tonumber(b[3]) or 0

local items, froms, tos = {}, '', ''
local at = 1
while at <= #ARGV[13] do
	local item = {}
	item.i, item.j, item.id, item.left, item.bucket, at = struct.unpack('sssss', ARGV[13], at)
	if item.bucket ~= '' then
		item.field = ARGV[13]:sub(at, at + 15)
		at = at + 16
		item.was = call('HGET', ws .. 'r:' .. item.bucket, item.field)
	end
	item.text = call('LINDEX', KEYS[3], item.i)
	local place = item.text and item.text:find('},"id":"' .. item.id .. '","conversation":"' .. from .. '"', 1, true)
	local old = item.j ~= '' and call('LINDEX', KEYS[5], item.j)
	if not place or (item.j ~= '' and not (old and old:find('"change":"' .. mv .. '"', 1, true))) then
		return { 'refused', 'changed', item.id }
	end
	local y = call('HMGET', ws .. 'y:' .. from, item.id, item.id .. '.id', item.id .. '.files')
	local dead = call('HGET', ws .. 'dead:' .. item.id, 's')
	if y[1] == 'queued' or y[1] == 'sending' or dead == 'dead' or call('EXISTS', ws .. 'x:' .. item.id) == 1 then
		return { 'refused', 'in_flight', item.id }
	end
	item.y = y
	item.due = call('ZSCORE', ws .. 'md', from .. ' ' .. item.id .. ' ' .. item.i)
	item.text = item.text:sub(1, place + 7) .. item.id .. '","conversation":"' .. to ..
		item.text:sub(place + 8 + #item.id + 18 + #from)
	if item.j == '' then
		item.j = tostring(size)
		size = size + 1
		item.is_new = true
	end
	froms = froms .. ',' .. item.i
	tos = tos .. ',' .. item.j
	items[#items + 1] = item
end
if #items == 0 then
	return { 'refused', 'changed', '' }
end

if not b[1] then
	call('HSET', KEYS[4], 'ch', a[2], 'u', a[1], 'ik', a[3] or '', 'ad', a[4] or '', 'nm', a[5] or '', 'th', '', 'sub',
		ARGV[9] ~= '' and ARGV[9] or a[6] or '', 'ih', a[7] or '', 'w', '', 's',
		ARGV[12] == '1' and 'open' or 'closed', 'ct', now, 'v', 1)
	call('ZADD', ws .. 'rest', now, to)
	call('HSET', ws .. 'u:' .. a[1], 'cv', u and (to .. ' ' .. u):sub(1, 1549) or to)
	call('ZADD', ws .. 'rest', now, to)
end
for _, item in ipairs(items) do
	if item.is_new then
		call('RPUSH', KEYS[5], item.text)
	else
		call('LSET', KEYS[5], item.j, item.text)
	end
	call('LSET', KEYS[3], item.i, item.left)
	for k, suffix in ipairs({ '', '.id', '.files' }) do
		if item.y[k] then
			call('HSET', ws .. 'y:' .. to, item.id .. suffix, item.y[k])
			call('HDEL', ws .. 'y:' .. from, item.id .. suffix)
		end
	end
	if item.was and item.was:find(item.id:sub(5), 1, true) then
		call('HSET', ws .. 'r:' .. item.bucket, item.field, to:sub(5) .. ' ' .. item.id:sub(5) .. ' ' .. item.j .. ' ' ..
			from:sub(5))
	end
	if item.due then
		call('ZREM', ws .. 'md', from .. ' ' .. item.id .. ' ' .. item.i)
		call('ZADD', ws .. 'md', item.due, to .. ' ' .. item.id .. ' ' .. item.j)
	end
	if not undo then
		call('RPUSH', ws .. 'mvl:' .. mv, item.i .. ' ' .. item.j .. ' ' .. item.id)
	end
end
call('HSET', KEYS[2], 'ut', now)
call('HSET', KEYS[4], 'n', size, 'ut', now)
if ARGV[6] == 'split' and ARGV[10] ~= '' then
	call('HSET', KEYS[4], 'li', ARGV[10], 'lt', ARGV[11])
end
local count = tonumber(mine[2]) or 0
if undo then
	call('HSET', KEYS[6], 's', ARGV[8] == '' and 'undone' or 'undoing', 'nx', ARGV[8], 'ub', ARGV[7], 'ut', now)
else
	call('HSET', KEYS[6], 'k', ARGV[6], 'a', from, 'b', to, 's', ARGV[8] == '' and 'done' or 'running', 'n', count + #items,
		'nx', ARGV[8], 'by', ARGV[7])
end
if not undo and not mine[1] then
	call('HSET', KEYS[6], 'm', items[1].id, 'ct', now)
	call('RPUSH', ws .. 'mvs:' .. from, mv)
	call('RPUSH', ws .. 'mvs:' .. to, mv)
end
for _, key in ipairs({ KEYS[6], ws .. 'mvl:' .. mv, ws .. 'mvs:' .. from, ws .. 'mvs:' .. to }) do
	call('EXPIRE', key, 7776000)
end
append('t', 'conversation.changed', 'c', from, 'u', a[1], 'm', items[1].id, 'n', items[1].i, 'ch', a[2], 'x', mv, 'f', from,
	'o', to, 'e', '{"kind":"' .. ARGV[6] .. '","from_n":[' .. froms:sub(2) .. '],"to_n":[' .. tos:sub(2) .. ']}')
return idem_keep(ARGV[1], ARGV[2], { 'ok', mv, tonumber(a[8]) or 0, size })
