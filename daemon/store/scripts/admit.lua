#!lua
-- admit: one inbound message, from "is it new?" to "it waits in a queue", in one step.
--
-- KEYS 1 meta, 2 d: current generation, 3 d: previous one, 4 c:<cnv>, 5 m:<cnv>, 6 r: bucket of the
--      reference (4 again where there is none), 7... one i: bucket per identifier, the sender's first
-- ARGV 1 remembered number, 2 seconds to keep the generation (0: already set), 3 cnv, 4 msg,
--      5 message JSON, 6 wrk and 7 cus to use where one must be made, 8 channel, 9 sender's index hash
--      (hex), 10 digest of all identifiers, 11 address to answer, 12 shown name, 13 thread,
--      14 subject, 15 provider id, 16 reference field (empty: none)
--      17 queue (empty: opens no work item), 18 type, 19 topic, 20 urgency, 21 priority,
--      22 skills, 23 rule, 24 prefix-less cnv and msg for the reference,
--      25... per identifier: index field (16 bytes), name in the customer's hash, record JSON,
--      '1' where the index is asked and written
-- Answers {'ok', msg, cnv, cus, wrk, n, flags} (flags: u new customer, c opened the conversation,
--      w new work item, r reopened, b back from waiting or wrap-up) or {'duplicate', msg}.
--
-- Proved identifiers that point at different customers: the first hit (the sender's own) wins and the
-- others keep their owner.
--@use log
local call = redis.call

if call('SISMEMBER', KEYS[2], ARGV[1]) == 1 or call('SISMEMBER', KEYS[3], ARGV[1]) == 1 then
	return {'duplicate', ARGV[4]}
end
local t = call('TIME')
local now = t[1] * 1000 + (t[2] - t[2] % 1000) / 1000
local c = call('HMGET', KEYS[4], 'u', 'w', 's', 'ik', 'ih')
local cus, wrk, flags = c[1], c[2], ''

-- Who is it? A conversation knows; a new one, or new facts about its own customer, ask the index.
local fresh, name, convs, missing
if not cus or (c[4] == ARGV[9] and c[5] ~= ARGV[10]) then
	missing = {}
	local found
	for i = 7, #KEYS do
		local at = 25 + (i - 7) * 4
		local owner = ARGV[at + 3] == '1' and call('HGET', KEYS[i], ARGV[at])
		if not owner then
			missing[#missing + 1] = i
		elseif not found then
			found = owner
		end
	end
	cus = cus or found or ARGV[7]
	local u = call('HMGET', ws .. 'u:' .. cus, 'to', 'ct', 'cv', 'nm')
	if u[1] then
		cus = u[1]
		u = call('HMGET', ws .. 'u:' .. cus, 'to', 'ct', 'cv', 'nm')
	end
	fresh, convs, name = not u[2], u[3], u[4]
end

local w
if wrk and wrk ~= '' then
	w = call('HMGET', ws .. 'w:' .. wrk, 's', 'v', 'q', 'a', 'wf', 'tm', 'cost')
	if not w[1] or w[1] == 'closed' or w[1] == 'cancelled' then
		w = nil
	end
end
local state, to, here = w and w[1]
if state == 'resolved' then
	to = 'queued'
elseif state == 'wrapping' or (state == 'waiting' and (w[5] == 'customer' or w[5] == 'until')) then
	here = w[4] and call('HGET', ws .. 'a:' .. w[4], 'st') ~= 'offline'
	to = here and 'assigned' or 'queued'
end

-- From here on only writes.
if missing then
	local key = ws .. 'u:' .. cus
	if fresh then
		flags = 'u'
		call('HSET', key, 'nm', ARGV[12], 'ct', now, 'v', 1)
	elseif name == '' and ARGV[12] ~= '' then
		call('HSET', key, 'nm', ARGV[12])
	end
	for _, i in ipairs(missing) do
		local at = 25 + (i - 7) * 4
		if ARGV[at + 3] == '1' then
			call('HSET', KEYS[i], ARGV[at], cus)
		end
		call('HSETNX', key, ARGV[at + 1], ARGV[at + 2])
	end
	if not c[1] then
		call('HSET', key, 'cv', convs and (ARGV[3] .. ' ' .. convs):sub(1, 1549) or ARGV[3])
	end
end

local n = call('RPUSH', KEYS[5], ARGV[5]) - 1
if not c[1] then
	flags = flags .. 'c'
	call('HSET', KEYS[4], 'ch', ARGV[8], 'u', cus, 'ik', ARGV[9], 'ih', ARGV[10], 'ad', ARGV[11],
		'nm', ARGV[12], 's', 'open', 'n', n + 1, 'ct', now, 'ut', now, 'v', 1, 'li', ARGV[15],
		'lt', now, 'w', '')
	if ARGV[13] ~= '' then
		call('HSET', KEYS[4], 'th', ARGV[13])
	end
	if ARGV[14] ~= '' then
		call('HSET', KEYS[4], 'sub', ARGV[14])
	end
elseif missing or c[3] ~= 'open' then
	flags = flags .. (c[3] == 'open' and '' or 'c')
	call('HSET', KEYS[4], 'n', n + 1, 'ut', now, 'li', ARGV[15], 'lt', now, 's', 'open', 'ih',
		c[4] == ARGV[9] and ARGV[10] or c[5])
else
	call('HSET', KEYS[4], 'n', n + 1, 'ut', now, 'li', ARGV[15], 'lt', now)
end

local from, version, agent, queue = nil, w and w[2], w and w[4], w and w[3]
if not w and ARGV[17] ~= '' then
	flags, from, to, version, queue, wrk = flags .. 'w', 'new', 'queued', 1, ARGV[17], ARGV[6]
	local f = {'s', to, 'num', call('HINCRBY', KEYS[1], 'num', 1), 'v', 1, 'q', queue, 'c', ARGV[3],
		'u', cus, 'ch', ARGV[8], 'pr', ARGV[21], 'ct', now, 'st', now, 'qt', now}
	for i, field in ipairs({'ty', 'tp', 'ur'}) do
		if ARGV[17 + i] ~= '' then
			f[#f + 1], f[#f + 2] = field, ARGV[17 + i]
		end
	end
	for i, field in ipairs({'sk', 'ru'}) do
		if ARGV[21 + i] ~= '' then
			f[#f + 1], f[#f + 2] = field, ARGV[21 + i]
		end
	end
	local key = ws .. 'w:' .. wrk
	call('DEL', key)
	call('HSET', key, unpack(f))
	call('ZADD', ws .. 'wx', now, wrk)
	call('ZADD', ws .. 'q:' .. queue, now, wrk)
	call('HSET', KEYS[4], 'w', wrk)
elseif to then
	from = state
	version = w[2] + 1
	local key = ws .. 'w:' .. wrk
	if w[6] then
		call('ZREM', ws .. 'timers', w[6])
	end
	if to == 'assigned' then
		flags = flags .. 'b'
		call('HSET', key, 's', to, 'v', version, 'st', now)
		call('HDEL', key, 'tm', 'wf')
		call('ZADD', ws .. 'timers', 'NX', now + 180000, 'gone:' .. agent)
		if state == 'waiting' then
			call('HINCRBY', ws .. 'a:' .. agent, 'ld', w[7] or 0)
		end
	else
		flags = flags .. 'r'
		call('HSET', key, 's', to, 'v', version, 'st', now, 'qt', now)
		call('HDEL', key, 'tm', 'wf', 'a', 'lx')
		call('ZADD', ws .. 'q:' .. queue, now, wrk)
		if agent then
			call('HSET', key, 'la', agent)
			call('SREM', ws .. 'aw:' .. agent, wrk)
		end
		if state == 'wrapping' then
			call('HINCRBY', ws .. 'a:' .. agent, 'ld', 0 - (w[7] or 0))
		end
	end
end

if flags == '' and wrk then
	append('t', 'message.created', 'c', ARGV[3], 'u', cus, 'm', ARGV[4], 'n', n, 'ch', ARGV[8], 'w', wrk,
		'v', version or '', 'a', agent or '', 'q', queue or '')
else
	local e = (flags:find('u', 1, true) and ',"nu":1' or '') .. (flags:find('c', 1, true) and ',"nc":1' or '') ..
		(flags:find('w', 1, true) and ',"nw":1' or '')
	append('t', 'message.created', 'c', ARGV[3], 'u', cus, 'm', ARGV[4], 'n', n, 'ch', ARGV[8], 'w',
		wrk or '', 'v', version or '', 'a', to ~= 'queued' and agent or '', 'q', queue or '', 'f',
		from or '', 'o', from and to or '', 'e', e ~= '' and '{' .. e:sub(2) .. '}' or '')
end
if ARGV[16] ~= '' then
	call('HSET', KEYS[6], ARGV[16], ARGV[24] .. ' ' .. n)
end
call('SADD', KEYS[2], ARGV[1])
if ARGV[2] ~= '0' then
	call('EXPIRE', KEYS[2], ARGV[2])
end
return {'ok', ARGV[4], ARGV[3], cus, wrk or '', n, flags}
