-- A message of ours that no work is about leaves in a conversation of its own, the carrier, which belongs to the customer of
-- another one; an answer to it opens a further one. Put `--@use carrier` on a line of its own after `--@use log`. It gives
-- the script `call`, `now` and
--
--   carrier_of(key)                first half: whose it will be, by the conversation at that c: key; nil: there is none
--   carrier_wait(keys, most)       first half: ms until one more may be asked for, by counters at those keys; nil: at once
--   carrier_send(keys, of, mail)   keys: c:, m:, oq: of the carrier and x:<msg>; mail: cnv, msg, json, ch channel, to address,
--                                  subject, name shown, idempotent '1', expires (ms, 0: never). Entry message.created
--   carrier_count(keys)            one more was asked for within the hour
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

local function carrier_of(key)
	local c = call('HMGET', key, 'u', 'ik', 'ih', 'nm')
	if not c[1] then
		return nil
	end
	local cus = call('HGET', ws .. 'u:' .. c[1], 'to') or c[1]
	return { cus = cus, ik = c[2] or '', ih = c[3] or '', nm = c[4] or '', convs = call('HGET', ws .. 'u:' .. cus, 'cv') }
end

local function carrier_wait(keys, most)
	for i, key in ipairs(keys) do
		if tonumber(call('GET', key) or 0) >= most[i] then
			return call('PTTL', key)
		end
	end
end

local function carrier_count(keys)
	for _, key in ipairs(keys) do
		call('INCR', key)
		call('EXPIRE', key, 3600, 'NX')
	end
end

local function carrier_send(keys, of, mail)
	local n = call('RPUSH', keys[2], mail.json) - 1
	call('HSET', keys[1], 'ch', mail.ch, 'u', of.cus, 'w', '', 's', 'closed', 'n', n + 1, 'ad', mail.to, 'nm', mail.name, 'th', '',
		'sub', mail.subject, 'ik', of.ik, 'ih', of.ih, 'ct', now, 'ut', now, 'v', 1, 'one', '1')
	call('HSET', ws .. 'u:' .. of.cus, 'cv', of.convs and (mail.cnv .. ' ' .. of.convs):sub(1, 1549) or mail.cnv)
	call('HSET', ws .. 'y:' .. mail.cnv, mail.msg, 'queued')
	call('HSET', keys[4], 's', 'queued', 'c', mail.cnv, 'n', n, 'at', 0, 'ct', now, 'id', mail.idempotent, 'ex', mail.expires, 'cf', '1')
	call('RPUSH', keys[3], mail.msg)
	call('ZADD', ws .. 'od', now, mail.cnv)
	call('ZADD', ws .. 'rest', now, mail.cnv)
	append('t', 'message.created', 'c', mail.cnv, 'u', of.cus, 'm', mail.msg, 'n', n, 'ch', mail.ch, 'e', '{"d":"out","nc":1}')
end
