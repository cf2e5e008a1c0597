#!lua
-- transcript_send: what was said in a visitor's conversation leaves by mail, to the address that the visitor names.
-- KEYS 1 meta, 2 c:<cnv>, 3 trn:<cnv>, 4 tra:<hash of the address>, 5 c:, 6 m:, 7 oq: of the conversation that carries it, 8 x:<msg>
-- ARGV 1 idempotency key, 2 request hash, 3 cnv that carries it, 4 msg, 5 message JSON, 6 channel, 7 address, 8 subject,
--      9 '1' sends are idempotent
-- 3 to an address and 3 of a conversation within an hour. The conversation that carries it is the same customer's, has no
-- work, and an answer to it opens another. Entry message.created (e.d out, nc). Answers {'ok'}; refused not_found, or limit with the ms
-- until one is free.
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
local c = call('HMGET', KEYS[2], 'u', 'ik', 'ih', 'nm')
local cus = c[1]
if not cus then
	return { 'refused', 'not_found' }
end
cus = call('HGET', ws .. 'u:' .. cus, 'to') or cus
local convs = call('HGET', ws .. 'u:' .. cus, 'cv')
for i = 3, 4 do
	if tonumber(call('GET', KEYS[i]) or 0) >= 3 then
		return { 'refused', 'limit', call('PTTL', KEYS[i]) }
	end
end

local n = call('RPUSH', KEYS[6], ARGV[5]) - 1
call('HSET', KEYS[5], 'ch', ARGV[6], 'u', cus, 'w', '', 's', 'closed', 'n', n + 1, 'ad', ARGV[7], 'nm', c[4] or '', 'th', '', 'sub',
	ARGV[8], 'ik', c[2] or '', 'ih', c[3] or '', 'ct', now, 'ut', now, 'v', 1, 'one', '1')
call('HSET', ws .. 'u:' .. cus, 'cv', convs and (cnv .. ' ' .. convs):sub(1, 1549) or cnv)
call('HSET', ws .. 'y:' .. cnv, msg, 'queued')
call('HSET', KEYS[8], 's', 'queued', 'c', cnv, 'n', n, 'at', 0, 'ct', now, 'id', ARGV[9], 'ex', 0, 'cf', '1')
call('RPUSH', KEYS[7], msg)
call('ZADD', ws .. 'od', now, cnv)
call('ZADD', ws .. 'rest', now, cnv)
for i = 3, 4 do
	call('INCR', KEYS[i])
	call('EXPIRE', KEYS[i], 3600, 'NX')
end
append('t', 'message.created', 'c', cnv, 'u', cus, 'm', msg, 'n', n, 'ch', ARGV[6], 'e', '{"d":"out","nc":1}')
return idem_keep(ARGV[1], ARGV[2], { 'ok' })
