#!lua
-- code_open: a one-time code is asked for, to prove an address for the customer of a conversation, and leaves by another channel.
-- KEYS 1 meta, 2 c:<cnv>, 3 otp:<cnv>, 4 otpn:<cnv>, 5 otpa:<hash of the address>, 6 c:, 7 m:, 8 oq: of the conversation that
--      carries it, 9 x:<msg>
-- ARGV 1 idempotency key, 2 request hash, 3 cnv that carries it, 4 msg, 5 message JSON (without the code), 6 channel, 7 address,
--      8 subject, 9 '1' sends are idempotent, 10 keyed hash of the code, 11 index field of the proved address, 12 its bucket (hex),
--      13 name in the customer's hash, 14, 15 its record JSON before and after the time (s)
-- 10 min to answer, 3 attempts; within an hour 3 codes to an address and 6 for a conversation. A further code replaces the one
-- before. The code itself is nowhere: it follows from the message's id, and only the outbox makes it. The conversation that
-- carries it belongs to the identifier of the one in which it was asked for, and goes where that goes.
-- Entry message.created (e.d out, nc). Answers {'ok', expires ms}; refused not_found, or limit with the ms until one is free.
--@use log
--@use idem
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local cnv, msg = ARGV[3], ARGV[4]
local open = call('HMGET', KEYS[3], 'm', 'ex')
if open[1] == msg then
	return { 'ok', open[2] }
end
local c = call('HMGET', KEYS[2], 'u', 'ik', 'ih')
local cus = c[1]
if not cus then
	return { 'refused', 'not_found' }
end
cus = call('HGET', ws .. 'u:' .. cus, 'to') or cus
local convs = call('HGET', ws .. 'u:' .. cus, 'cv')
for i, most in ipairs({ 6, 3 }) do
	if tonumber(call('GET', KEYS[3 + i]) or 0) >= most then
		return { 'refused', 'limit', call('PTTL', KEYS[3 + i]) }
	end
end
local expires = string.format('%.0f', now + 600000)
local waiting = call('LLEN', KEYS[8])

local n = call('RPUSH', KEYS[7], ARGV[5]) - 1
call('HSET', KEYS[6], 'ch', ARGV[6], 'u', cus, 'w', '', 's', 'closed', 'n', n + 1, 'ad', ARGV[7], 'nm', '', 'th', '', 'sub',
	ARGV[8], 'ik', c[2] or '', 'ih', c[3] or '', 'ct', now, 'ut', now, 'v', 1, 'one', '1')
call('HSET', ws .. 'u:' .. cus, 'cv', convs and (cnv .. ' ' .. convs):sub(1, 1549) or cnv)
call('HSET', ws .. 'y:' .. cnv, msg, 'queued')
call('HSET', KEYS[9], 's', 'queued', 'c', cnv, 'n', n, 'at', 0, 'ct', now, 'id', ARGV[9], 'ex', expires, 'cf', '1')
call('RPUSH', KEYS[8], msg)
if waiting == 0 then
	call('ZADD', ws .. 'od', now, cnv)
end
call('ZADD', ws .. 'rest', now, cnv)
for i = 4, 5 do
	call('INCR', KEYS[i])
	call('EXPIRE', KEYS[i], 3600, 'NX')
end
call('DEL', KEYS[3])
call('HSET', KEYS[3], 'm', msg, 'ex', expires, 'h', ARGV[10], 'left', 3, 'f', ARGV[11], 'bk', ARGV[12], 'lb', ARGV[13], 'r1',
	ARGV[14], 'r2', ARGV[15])
call('PEXPIRE', KEYS[3], 600000)
append('t', 'message.created', 'c', cnv, 'u', cus, 'm', msg, 'n', n, 'ch', ARGV[6], 'e', '{"d":"out","nc":1}')
return idem_keep(ARGV[1], ARGV[2], { 'ok', expires })
