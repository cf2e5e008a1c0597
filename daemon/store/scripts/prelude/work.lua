-- Work items. Put `--@use work` on a line of its own after `--@use log`. It gives the script `call`, `now` (ms, the
-- store's clock) and these:
--
--   item_read(wrk)                 first half: the item as a table (fields of README, v a number), nil if unknown
--   item_check(w, agent, v, allowed)  first half: a refusal to return, or nil; agent '' is a supervisor or the daemon
--                                  itself, v '' is any version, allowed is ' queued assigned '
--   illegal(state)                 the refusal with what that state allows
--   item_move(w, to, ...)          the state, version and further fields; drops the old state's timer
--   item_arm(w, member, due)       the timer of the state just entered
--   item_take(w, agent, cost, held)  with that agent; held: the load is counted already
--   item_leave(w)                  no longer with its agent
--   item_queue(w, since)           into its queue's order; item_unqueue(w)
--   item_log(w, from, x, e)        the entry work_item.state; item_answer(w) the answer all work scripts share
--
-- Load of an agent: the cost of what is offered, assigned or wrapping; waiting costs nothing.
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

local fields = { 's', 'v', 'q', 'a', 'o', 'c', 'u', 'ch', 'cost', 'tm', 'wf', 'la', 'ct', 'qt', 'fr', 'lx', 'dn' }

local function item_read(wrk)
	local values = call('HMGET', ws .. 'w:' .. wrk, unpack(fields))
	if not values[1] then
		return nil
	end
	local w = { id = wrk }
	for i, field in ipairs(fields) do
		w[field] = values[i] or ''
	end
	w.v = tonumber(w.v)
	w.cost = tonumber(w.cost) or 0
	return w
end

local function illegal(state)
	local next_steps = {
		new = 'cancel',
		queued = 'transfer resolve close cancel',
		offered = 'accept decline cancel',
		assigned = 'release extend resolve close transfer snooze cancel',
		waiting = 'reopen release resolve close transfer cancel',
		wrapping = 'resolve close reopen release',
		resolved = 'reopen close',
	}
	local answer = { 'refused', 'illegal_state', state }
	for word in (next_steps[state] or ''):gmatch('%S+') do
		answer[#answer + 1] = word
	end
	return answer
end

local function item_check(w, agent, version, allowed)
	if not w then
		return { 'refused', 'not_found' }
	end
	if version ~= '' and tonumber(version) ~= w.v then
		return { 'refused', 'version', w.s, w.v }
	end
	if not allowed:find(' ' .. w.s .. ' ', 1, true) then
		return illegal(w.s)
	end
	if agent ~= '' and agent ~= w.a then
		return { 'refused', 'not_assignee', w.s }
	end
	return nil
end

local function item_move(w, to, ...)
	local key = ws .. 'w:' .. w.id
	if w.tm ~= '' then
		call('ZREM', ws .. 'timers', w.tm)
		call('HDEL', key, 'tm', 'wf', 'lx')
		w.tm = ''
	end
	w.s = to
	w.v = w.v + 1
	call('HSET', key, 's', to, 'v', w.v, 'st', now, ...)
end

local function item_arm(w, member, due)
	w.tm = member
	call('HSET', ws .. 'w:' .. w.id, 'tm', member)
	call('ZADD', ws .. 'timers', due, member)
end

local function item_take(w, agent, cost, held)
	w.a = agent
	w.cost = cost
	call('HSET', ws .. 'w:' .. w.id, 'a', agent, 'cost', cost)
	call('HDEL', ws .. 'w:' .. w.id, 'dn')
	call('SADD', ws .. 'aw:' .. agent, w.id)
	call('ZADD', ws .. 'timers', 'NX', now + 180000, 'gone:' .. agent)
	if not held then
		call('HINCRBY', ws .. 'a:' .. agent, 'ld', cost)
	end
end

-- from: the state that is left (item_move has already written the new one)
local function item_leave(w, from)
	if w.a == '' then
		return
	end
	call('SREM', ws .. 'aw:' .. w.a, w.id)
	if from == 'assigned' or from == 'wrapping' then
		call('HINCRBY', ws .. 'a:' .. w.a, 'ld', 0 - w.cost)
		call('HSET', ws .. 'a:' .. w.a, 'id', now)
	end
	call('HSET', ws .. 'w:' .. w.id, 'la', w.a, 'a', '')
	w.la = w.a
	w.a = ''
end

local function item_queue(w, since)
	w.qt = since or w.qt
	call('HSET', ws .. 'w:' .. w.id, 'qt', w.qt)
	call('ZADD', ws .. 'q:' .. w.q, w.qt, w.id)
end

local function item_unqueue(w)
	call('ZREM', ws .. 'q:' .. w.q, w.id)
end

local function item_log(w, from, object, extra)
	append('t', 'work_item.state', 'w', w.id, 'c', w.c, 'u', w.u, 'a', w.a ~= '' and w.a or w.la, 'q', w.q,
		'ch', w.ch, 'f', from, 'o', w.s, 'v', w.v, 'x', object or '', 'e', extra or '')
end

local function item_answer(w)
	return { 'ok', w.id, w.s, w.v, w.q, w.c, w.u, w.a }
end
