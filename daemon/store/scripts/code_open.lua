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
--@use carrier
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local msg = ARGV[4]
local open = call('HMGET', KEYS[3], 'm', 'ex')
if open[1] == msg then
	return { 'ok', open[2] }
end
local of = carrier_of(KEYS[2])
if not of then
	return { 'refused', 'not_found' }
end
local asked = { KEYS[4], KEYS[5] }
local wait = carrier_wait(asked, { 6, 3 })
if wait then
	return { 'refused', 'limit', wait }
end
local expires = string.format('%.0f', now + 600000)

carrier_send({ KEYS[6], KEYS[7], KEYS[8], KEYS[9] }, of, { cnv = ARGV[3], msg = msg, json = ARGV[5], ch = ARGV[6], to = ARGV[7],
	subject = ARGV[8], name = '', idempotent = ARGV[9], expires = expires })
carrier_count(asked)
call('DEL', KEYS[3])
call('HSET', KEYS[3], 'm', msg, 'ex', expires, 'h', ARGV[10], 'left', 3, 'f', ARGV[11], 'bk', ARGV[12], 'lb', ARGV[13], 'r1',
	ARGV[14], 'r2', ARGV[15])
call('PEXPIRE', KEYS[3], 600000)
return idem_keep(ARGV[1], ARGV[2], { 'ok', expires })
