-- Work items. Put `--@use work` on a line of its own after `--@use log`. It gives the script `call`, `now` (ms, the
-- store's clock) and these:
--
--   item_read(wrk)                 first half: the item as a table (fields of README, v a number), nil if unknown
--   item_check(w, agent, v, allowed)  first half: a refusal to return, or nil; agent '' is a supervisor or the daemon
--                                  itself, v '' is any version, allowed is ' queued assigned '
--   illegal(state)                 the refusal with what that state allows
--   item_move(w, to, ...)          the state, version and further fields; drops the old state's timer
--   item_arm(w, member, due)       the timer of the state just entered
--   item_take(w, agent, cost, held)  with that agent; held: what of its load is counted already (nil: nothing)
--   item_leave(w)                  no longer with its agent
--   item_queue(w, since)           into its queue's order; item_unqueue(w)
--   item_end(w, ours)              it has ended for good; ours: its conversation has no other work
--   offers_read(w)                 first half: the pending offers, { off, agent, cost } each
--   offer_close(w, offer, outcome) one of them ends: its agent is free of it
--   item_offer_back(w, offers, off, refused)  the item without that offer; refused: not at once to its agent again
--   offers_close(w, offers, outcome, but)  all end but one (an id, nil: none); a piece for item_extra
--   transfer_close(w, outcome)     the pending transfer, if there is one, ends; a piece for item_extra
--   ask_note(agent, trf, due)      that agent is asked to accept a transfer or a consultation
--   item_waited(w)                 a piece for item_extra: how long it waited in its queue, ms
--   item_accept(w, offers, mine)   the agent of that offer has the item; a piece for item_extra
--   item_extra(...)                the pieces ',"a":1' as the text of an entry's e
--   item_log(w, from, x, e, agent) the entry work_item.state, of the item's agent or another one
--   item_answer(w)                 the answer all work scripts share
--
-- Load of an agent: the cost of what is offered, assigned or wrapping; what waits costs `wc`. An item that was
-- transferred to a queue stays with its agent, and costs that agent, until another one takes it.
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

local fields = { 's', 'v', 'q', 'a', 'o', 'c', 'u', 'ch', 'cost', 'tm', 'wf', 'la', 'ct', 'qt', 'fr', 'lx', 'dn', 'tr', 'wc' }

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
	w.wc = tonumber(w.wc) or 0
	return w
end

local function illegal(state)
	local next_steps = {
		queued = 'transfer escalate resolve close assign barge',
		offered = 'accept decline transfer escalate assign barge',
		assigned = 'release extend resolve close transfer escalate consult snooze assign barge',
		waiting = 'reopen release resolve close transfer escalate consult assign barge',
		wrapping = 'resolve close reopen release extend transfer escalate assign barge',
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
	call('ZADD', ws .. 'timers', 'NX', now + grace, 'gone:' .. agent)
	call('HINCRBY', ws .. 'a:' .. agent, 'ld', cost - (held or 0))
end

-- from: the state that is left (item_move has already written the new one)
local function item_leave(w, from)
	if w.a == '' then
		return
	end
	call('SREM', ws .. 'aw:' .. w.a, w.id)
	call('HINCRBY', ws .. 'a:' .. w.a, 'ld', 0 - (from == 'waiting' and w.wc or w.cost))
	if from ~= 'waiting' then
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

local function item_end(w, ours)
	call('ZREM', ws .. 'wx', w.id)
	call('ZADD', ws .. 'wz', w.ct ~= '' and w.ct or now, w.id)
	call('ZADD', ws .. 'rest', now, w.id)
	if ours then
		call('ZADD', ws .. 'rest', now, w.c)
	end
end

local function offers_read(w)
	local offers = {}
	for off in w.o:gmatch('%S+') do
		local o = call('HMGET', ws .. 'o:' .. off, 'a', 'cost')
		offers[#offers + 1] = { off, o[1] or '', tonumber(o[2]) or 0 }
	end
	return offers
end

local function offer_close(w, offer, outcome)
	call('ZREM', ws .. 'timers', 'offer:' .. offer[1])
	call('HSET', ws .. 'o:' .. offer[1], 's', outcome)
	call('EXPIRE', ws .. 'o:' .. offer[1], 86400)
	call('HSET', ws .. 'a:' .. offer[2], 'o', '')
	call('HINCRBY', ws .. 'a:' .. offer[2], 'ld', 0 - offer[3])
end

local function offers_close(w, offers, outcome, but)
	local ended = ''
	for _, offer in ipairs(offers) do
		if offer[1] ~= but then
			offer_close(w, offer, outcome)
			ended = ended .. ',"' .. offer[1] .. '":"' .. offer[2] .. '"'
		end
	end
	return ended == '' and '' or ',"' .. outcome .. '":{' .. ended:sub(2) .. '}'
end

-- The item goes back, unless another agent still has an offer of it. refused: not at once to that agent again.
local function item_offer_back(w, offers, off, refused)
	local others, agent = '', ''
	for _, offer in ipairs(offers) do
		if offer[1] == off then
			agent = offer[2]
		else
			others = others .. (others == '' and '' or ' ') .. offer[1]
		end
	end
	item_move(w, others == '' and 'queued' or 'offered', 'o', others, 'dn',
		refused and (agent .. ' ' .. w.dn):sub(1, 400) or w.dn)
end

local function transfer_close(w, outcome)
	if w.tr == '' then
		return ''
	end
	local piece = ',"transfer":"' .. outcome .. '","trf":"' .. w.tr .. '"'
	call('ZREM', ws .. 'timers', 'transfer:' .. w.tr)
	call('HSET', ws .. 't:' .. w.tr, 's', outcome, 'et', now)
	call('EXPIRE', ws .. 't:' .. w.tr, 604800)
	call('HDEL', ws .. 'w:' .. w.id, 'tr')
	w.tr = ''
	return piece
end

local function ask_note(agent, trf, due)
	local key = ws .. 'ask:' .. agent
	call('ZREMRANGEBYSCORE', key, '-inf', now)
	call('ZADD', key, due, trf)
	call('EXPIRE', key, 2592000)
end

local function item_extra(...)
	local text = table.concat({ ... })
	return text == '' and '' or '{' .. text:sub(2) .. '}'
end

local function item_waited(w)
	return ',"wait":' .. (now - (tonumber(w.qt) or now))
end

-- Its agent takes the item that is offered: the other offers are rescinded, who held it until now lets go.
local function item_accept(w, offers, mine)
	offer_close(w, mine, 'accepted')
	local pieces = item_waited(w) .. offers_close(w, offers, 'rescinded', mine[1])
	if w.a ~= '' then
		pieces = pieces .. ',"was":"' .. w.a .. '"'
	end
	item_leave(w, 'offered')
	pieces = pieces .. transfer_close(w, 'accepted')
	item_take(w, mine[2], mine[3])
	return pieces
end

local function item_log(w, from, object, extra, agent)
	append('t', 'work_item.state', 'w', w.id, 'c', w.c, 'u', w.u, 'a', agent or (w.a ~= '' and w.a or w.la), 'q', w.q,
		'ch', w.ch, 'f', from, 'o', w.s, 'v', w.v, 'x', object or '', 'e', extra or '')
end

local function item_answer(w)
	return { 'ok', w.id, w.s, w.v, w.q, w.c, w.u, w.a }
end
