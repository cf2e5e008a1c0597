#!lua flags=allow-oom
-- admit_receipt: a provider tells how far a message of ours came. It never goes backwards.
-- KEYS 1 meta, 2 y:<cnv>   ARGV 1 cnv, 2 msg, 3 n, 4 sent, delivered, read or failed, 5 why ('' none), 6 channel
-- sent < delivered < read; failed only from queued, sending, sent; an uncertain one is settled by what the provider
-- says. Entry message.delivery. Answers {'ok', state}, {'duplicate', state} where nothing changed.
--@use log
--@use outbox
local old = call('HGET', KEYS[2], ARGV[2])
if not old then
	return { 'refused', 'not_found' }
end
local from, to = mark_state(old), ARGV[4]
local forward
if to == 'failed' then
	forward = from == 'queued' or from == 'sending' or from == 'sent' or from == 'uncertain'
else
	forward = mark_rank(to) > mark_rank(old) and mark_rank(to) >= 2
end
if not forward then
	return { 'duplicate', from }
end

if to == 'failed' then
	outbox_bury(ARGV[1], ARGV[2], 'n', ARGV[3], 'ch', ARGV[6], 'code', 'receipt', 'why', ARGV[5], 'at', 0, 'id', 0, 'm',
		'failed')
elseif from == 'uncertain' or from == 'failed' or from == 'expired' then
	call('ZREM', ws .. 'dead', ARGV[2])
	call('DEL', ws .. 'dead:' .. ARGV[2])
end
outbox_step(ARGV[1], ARGV[2], ARGV[3], ARGV[6], from, to, ARGV[5] ~= '' and (to .. ' ' .. ARGV[5]) or to, 0)
return { 'ok', to }
