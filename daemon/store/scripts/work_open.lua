#!lua
-- work_open: a person or a program opens a case.
-- KEYS 1 meta, 2 w:<wrk>
-- ARGV 1 idempotency key, 2 request hash, 3 wrk, 4 cus or '', 5 cnv or '', 6 queue, 7 type, 8 topic, 9 urgency,
--      10 priority, 11 skills, 12 summary
-- new -> queued, entry work_item.created. It becomes its conversation's open item where there is none.
--@use log
--@use idem
--@use work
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local cus, cnv = ARGV[4], ARGV[5]
if call('EXISTS', KEYS[2]) == 1 then
	return { 'refused', 'exists' }
end
local c = { false, false, false }
if cnv ~= '' then
	c = call('HMGET', ws .. 'c:' .. cnv, 'u', 'w', 'ch')
	if not c[1] or (cus ~= '' and cus ~= c[1]) then
		return { 'refused', 'not_found' }
	end
	cus = c[1]
end
local u = cus ~= '' and call('HMGET', ws .. 'u:' .. cus, 'ct', 'wk', 'to')
if u and u[3] then
	cus = u[3]
	u = call('HMGET', ws .. 'u:' .. cus, 'ct', 'wk')
end
if u and not u[1] then
	return { 'refused', 'not_found' }
end

local w = { id = ARGV[3], s = 'queued', v = 1, q = ARGV[6], c = cnv, u = cus, ch = c[3] or '', a = '', la = '' }
call('HSET', KEYS[2], 's', 'queued', 'num', call('HINCRBY', KEYS[1], 'num', 1), 'v', 1, 'q', w.q, 'c', cnv, 'u', cus,
	'ch', w.ch, 'ty', ARGV[7], 'tp', ARGV[8], 'ur', ARGV[9], 'pr', ARGV[10], 'sk', ARGV[11], 'sum', ARGV[12],
	'ct', now, 'st', now)
call('ZADD', ws .. 'wx', now, w.id)
item_queue(w, now)
if cnv == '' and u then
	call('HSET', ws .. 'u:' .. cus, 'wk', u[2] and (w.id .. ' ' .. u[2]):sub(1, 1549) or w.id)
end
if cnv ~= '' and (not c[2] or c[2] == '') then
	call('HSET', ws .. 'c:' .. cnv, 'w', w.id)
end
append('t', 'work_item.created', 'w', w.id, 'c', cnv, 'u', cus, 'q', w.q, 'ch', w.ch, 'f', 'new', 'o', 'queued', 'v', 1)
return idem_keep(ARGV[1], ARGV[2], item_answer(w))
