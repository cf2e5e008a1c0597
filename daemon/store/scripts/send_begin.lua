#!lua flags=allow-oom
-- send_begin: claims the oldest message of a conversation's outbox before its first byte leaves.
-- KEYS 1 meta, 2 lease:steward, 3 oq:<cnv>, 4 c:<cnv>   ARGV 1 fence, 2 cnv, 3 token, 4 ms until it counts as lost
-- queued -> sending; due moves to now + timeout. Entry message.delivery.
-- Answers {'ok', msg, n, attempt, idempotent, expires ms, message JSON, channel, address, name, thread, subject,
-- provider id of the newest inbound message, its ms, cus, how many parts have left,
-- reply window (until ms, left), reply context, ms since when its addressee has
-- opted out ('' has not, or it may leave all the same), '1' where it may leave whatever is said of consent, hours and caps}, {'wait', due ms}, {'empty'}, or refused fence / sending msg.
--@use log
--@use outbox
local fence = call('GET', KEYS[2])
if not fence or (fence ~= ARGV[1] and fence:sub(1, #ARGV[1] + 1) ~= ARGV[1] .. ' ') then
	return { 'refused', 'fence' }
end
local cnv = ARGV[2]
local msg = call('LINDEX', KEYS[3], 0)
local length = call('LLEN', KEYS[3])
if not msg then
	call('ZREM', ws .. 'od', cnv)
	return { 'empty' }
end
local key = ws .. 'x:' .. msg
local x = call('HMGET', key, 's', 'n', 'at', 'id', 'ex', 'pt', 'cf')
if not x[1] then
	call('LPOP', KEYS[3])
	outbox_next(cnv, length)
	return { 'wait', now }
end
if x[1] == 'sending' then
	return { 'refused', 'sending', msg }
end
local due = tonumber(call('ZSCORE', ws .. 'od', cnv) or 0)
if due > now then
	return { 'wait', due }
end
local json = call('LINDEX', ws .. 'm:' .. cnv, x[2])
local c = call('HMGET', KEYS[4], 'ch', 'ad', 'nm', 'th', 'sub', 'li', 'lt', 'u', 'wd', 'rc', 'ik')
local opted = x[7] ~= '1' and call('HGET', ws .. 'opt:' .. (c[1] or ''), c[11] or '') or ''
local attempt = tonumber(x[3] or 0) + 1

call('HSET', key, 's', 'sending', 'tk', ARGV[3], 'at', attempt, 'fe', fence)
call('ZADD', ws .. 'od', now + ARGV[4], cnv)
outbox_step(cnv, msg, x[2], c[1] or '', 'queued', 'sending', 'sending', attempt)
local answer = { 'ok', msg, x[2], attempt, x[4] or '0', x[5] or '0', json or '' }
for i = 1, 8 do
	answer[7 + i] = c[i] or ''
end
answer[16] = x[6] or '0'
answer[17], answer[18], answer[19] = c[9] or '', c[10] or '', opted
answer[20] = x[7] or ''
return answer
