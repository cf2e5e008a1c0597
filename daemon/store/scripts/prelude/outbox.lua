-- Outbound messages. Put `--@use outbox` on a line of its own after `--@use log`. It gives the script `call`, `now` and
--
--   mark_state(mark)               first half: the state word of a y: value ("failed 550 no such user" -> failed)
--   mark_rank(mark)                how far it came: 0 unknown, 1 queued/sending/uncertain/expired, 2 sent or
--                                  failed (the provider's word), 3 delivered, 4 read
--   outbox_step(cnv, msg, n, ch, from, to, mark, attempts)   the mark and the entry message.delivery
--   outbox_next(cnv, length)       the head is popped from an outbox of that length: the next one is due now
--   window_use(cnv, window)        one message of ours fewer may follow (window: c: field wd, read in the first half)
--   outbox_bury(cnv, msg, ...)     into the dead letters, with further fields
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

local function mark_state(mark)
	return (mark or ''):match('^%S*')
end

local function mark_rank(mark)
	local ranks = { queued = 1, sending = 1, uncertain = 1, expired = 1, failed = 2, sent = 2, delivered = 3, read = 4 }
	return ranks[mark_state(mark)] or 0
end

local function outbox_step(cnv, msg, n, ch, from, to, mark, attempts)
	call('HSET', ws .. 'y:' .. cnv, msg, mark, '.t', now)
	append('t', 'message.delivery', 'c', cnv, 'm', msg, 'n', n, 'ch', ch, 'f', from, 'o', to, 'e',
		'{"at":' .. attempts .. '}')
end

local function outbox_next(cnv, length)
	if length > 1 then
		call('ZADD', ws .. 'od', now, cnv)
	else
		call('ZREM', ws .. 'od', cnv)
	end
end

local function window_use(cnv, window)
	local till, left = (window or ''):match('^(%d+) (%d+)$')
	if till and left ~= '0' then
		call('HSET', ws .. 'c:' .. cnv, 'wd', ('%s %d'):format(till, left - 1))
	end
end

local function outbox_bury(cnv, msg, ...)
	call('HSET', ws .. 'dead:' .. msg, 'c', cnv, 's', 'dead', 'ct', now, ...)
	call('ZADD', ws .. 'dead', now, msg)
end
