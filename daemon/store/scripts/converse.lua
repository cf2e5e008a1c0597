#!lua
-- converse: an agent or a program starts a conversation with a customer's identifier: its first message is ours.
-- KEYS 1 meta, 2 c:<cnv>, 3 m:<cnv>, 4 oq:<cnv>, 5 x:<msg>, 6 u:<cus>, 7 w:<wrk>
-- ARGV 1 idempotency key, 2 request hash, 3 cnv, 4 msg, 5 message JSON, 6 agent ('' none), 7 '1' sends are
--      idempotent, 8 cus, 9 channel, 10 identifier hash (hex), 11 address, 12 shown name, 13 thread, 14 subject,
--      15 wrk, 16 queue, 17 type, 18 cost to the agent, 19 priority, 20 what it costs while it waits, and where the customer
--      may be a new one 21 index field, 22 index bucket (hex), 23 name in the customer's hash, 24 record JSON of the identifier,
--      25 the identifier's index hash (hex) as of one who is proved, 26 messages an hour that one addressee may get ('' any
--      number), 27 a day
-- A new item, assigned to the agent (queued where there is none); refused exists where the conversation has an open
-- item, opted_out, recipient_cap with
-- the ms until one more may leave. Entry message.created (e.d out, nc, nw). Answers {'ok', msg, n, wrk, state, v}.
--@use log
--@use idem
--@use grace
--@use work
--@use caps
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local cnv, msg, agent, cus, wrk = ARGV[3], ARGV[4], ARGV[6], ARGV[8], ARGV[15]
local u, person = call('HMGET', KEYS[6], 'ct', 'cv', 'to'), KEYS[6]
if u[3] then
	cus = u[3]
	person = ws .. 'u:' .. cus
	u = call('HMGET', person, 'ct', 'cv')
end
local fresh = not u[1]
if fresh and not ARGV[21] then
	return { 'refused', 'not_found' }
end
local c = call('HMGET', KEYS[2], 'u', 'w')
if c[2] and c[2] ~= '' then
	return { 'refused', 'exists', c[2] }
end
local opt = ws .. 'opt:' .. ARGV[9]
if call('HEXISTS', opt, ARGV[10]) == 1 or call('HEXISTS', opt, ARGV[25] or '') == 1 then
	return { 'refused', 'opted_out', 'opted_out' }
end
local wait = cap_wait(cap_list(ARGV[9], ARGV[10], ARGV[26], ARGV[27]), 0)
if wait then
	return { 'refused', 'recipient_cap', wait }
end
local erased = fresh and call('HGET', ws .. 'tomb:' .. ARGV[22], ARGV[21])
local waiting = call('LLEN', KEYS[4])

local n = call('RPUSH', KEYS[3], ARGV[5]) - 1
if fresh then
	call('HSET', person, 'nm', ARGV[12], 'ct', now, 'v', 1, ARGV[23], ARGV[24])
	call('HSETNX', ws .. 'i:' .. ARGV[22], ARGV[21], cus)
	if erased then
		call('HSET', person, 'eb', erased)
	end
end
call('HSET', KEYS[2], 'n', n + 1, 'ut', now, 's', 'open', 'w', wrk)
if not c[1] then
	call('HSET', KEYS[2], 'ch', ARGV[9], 'u', cus, 'ih', ARGV[10]:sub(1, 12), 'ik', ARGV[10], 'ad', ARGV[11], 'nm',
		ARGV[12], 'th', ARGV[13], 'sub', ARGV[14], 'ct', now, 'v', 1)
	call('HSET', person, 'cv', u[2] and (cnv .. ' ' .. u[2]):sub(1, 1549) or cnv)
end
local w = { id = wrk, s = 'queued', v = 1, q = ARGV[16], c = cnv, u = cus, ch = ARGV[9], a = '', la = '', tm = '' }
call('HSET', KEYS[7], 's', agent == '' and 'queued' or 'assigned', 'num', call('HINCRBY', KEYS[1], 'num', 1), 'v', 1,
	'q', w.q, 'c', cnv, 'u', cus, 'ch', w.ch, 'ty', ARGV[17], 'pr', ARGV[19], 'ct', now, 'st', now, 'qt', now, 'fr', now)
call('ZADD', ws .. 'wx', now, wrk)
if agent == '' then
	item_queue(w, now)
else
	w.s = 'assigned'
	call('HSET', KEYS[7], 'wc', ARGV[20] or 0)
	item_take(w, agent, tonumber(ARGV[18]))
end
call('HSET', ws .. 'y:' .. cnv, msg, 'queued')
call('HSET', KEYS[5], 's', 'queued', 'c', cnv, 'n', n, 'at', 0, 'ct', now, 'id', ARGV[7], 'ex', 0)
call('RPUSH', KEYS[4], msg)
if waiting == 0 then
	call('ZADD', ws .. 'od', now, cnv)
end
append('t', 'message.created', 'c', cnv, 'u', cus, 'm', msg, 'n', n, 'ch', ARGV[9], 'w', wrk, 'v', 1, 'a', agent, 'q',
	w.q, 'f', 'new', 'o', w.s, 'e', fresh and '{"d":"out","nu":1,"nc":1,"nw":1}' or
	'{"d":"out","nc":1,"nw":1}')
return idem_keep(ARGV[1], ARGV[2], { 'ok', msg, n, wrk, w.s, 1 })
