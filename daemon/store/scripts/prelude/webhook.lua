-- Outgoing webhooks. Put `--@use webhook` on a line of its own after the script's comment. It gives the script `call`, `now`, `ws` and
--
--   webhook_keys(endpoint)           names of its keys: state, all, waiting, due, over, dead; one .. <event> is a delivery's
--   webhook_old(key, keep, more)     first half: the oldest of a list that must go where it keeps so many and more come
--   webhook_drop(keys, key, events)  second half: those leave the list, and the store
--   webhook_fresh(keys, event, ...)  second half: a delivery waits, is due now, and has further fields
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local webhook_keeps = { over = 1000, dead = 10000 }

local function webhook_keys(endpoint)
	return {
		state = ws .. 'wh:' .. endpoint,
		all = ws .. 'whl:' .. endpoint,
		waiting = ws .. 'whw:' .. endpoint,
		due = ws .. 'whq:' .. endpoint,
		over = ws .. 'who:' .. endpoint,
		dead = ws .. 'whd:' .. endpoint,
		one = ws .. 'whe:' .. endpoint .. ':',
	}
end

local function webhook_old(key, keep, more)
	local surplus = call('ZCARD', key) + more - keep
	if surplus <= 0 then
		return {}
	end
	return call('ZRANGE', key, 0, surplus - 1)
end

local function webhook_drop(keys, key, events)
	for _, event in ipairs(events) do
		call('ZREM', key, event)
		call('ZREM', keys.all, event)
		call('DEL', keys.one .. event)
	end
end

local function webhook_fresh(keys, event, number, ...)
	call('HSET', keys.one .. event, 's', 'waiting', 'at', 0, 'nx', now, 'n', number, ...)
	call('ZADD', keys.all, number, event)
	call('ZADD', keys.waiting, number, event)
	call('ZADD', keys.due, now, event)
end
