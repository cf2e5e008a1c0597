#!lua
-- reply: a person or a program writes into a conversation: an outbound message or a note.
-- KEYS 1 meta, 2 c:<cnv>, 3 m:<cnv>, 4 oq:<cnv>, 5 x:<msg>
-- ARGV 1 idempotency key, 2 request hash, 3 cnv, 4 msg, 5 message JSON, 6 reply or note, 7 agent ('' none),
--      8 '1' may write without being the assignee (supervisor, automation, bot), 9 '1' sends are idempotent,
--      10 '1' written by a machine (no first response), 11 message does not go out after (unix ms, 0: never too late),
--      12 blobs of its attachments (4 hex digits of bucket, 16 bytes of field each; '' none),
--      13 version of the work item or '' (fences off who no longer has it), 14 '1' goes also to who has opted out (what
--      confirms it), 15 messages an hour that one addressee may get ('' any number) and 16 a day: of who is no machine, whose
--      messages wait for that in the outbox, 17 agents whom a note names, parted by spaces, 18 '1' its reply window is closed: only a repeated request is answered
-- Message queued into the outbox (a note has no delivery). First response stamped on the item (e.fr); an agent's
-- reply takes an item that waits for something other than the customer back. The agent's draft is gone; who is named is
-- told. Entry message.created (e.d: out, note; e.named).
-- Answers {'ok', msg, n, wrk, state, v}; refused not_found, illegal_state, not_assignee, version, no_such_attachment, opted_out,
-- window, recipient_cap with the ms until one more may leave. A person's message goes before machines' that were put off.
--@use log
--@use idem
--@use grace
--@use work
--@use blobs
--@use caps
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
if ARGV[18] == '1' then
	return { 'refused', 'window' }
end
local cnv, msg, note, agent = ARGV[3], ARGV[4], ARGV[6] == 'note', ARGV[7]
local c = call('HMGET', KEYS[2], 'u', 'w', 's', 'ch', 'ik')
if not c[1] then
	return { 'refused', 'not_found' }
end
if c[3] ~= 'open' and not note then
	return { 'refused', 'illegal_state', 'closed' }
end
local w = c[2] and c[2] ~= '' and item_read(c[2]) or nil
if not note and ARGV[8] ~= '1' and (not w or w.a ~= agent or agent == '') then
	return { 'refused', 'not_assignee', w and w.s or '' }
end
if (ARGV[13] or '') ~= '' and (not w or tonumber(ARGV[13]) ~= w.v) then
	return { 'refused', 'version', w and w.s or '', w and w.v or 0 }
end
if not note and ARGV[14] ~= '1' and call('HEXISTS', ws .. 'opt:' .. (c[4] or ''), c[5] or '') == 1 then
	return { 'refused', 'opted_out', 'opted_out' }
end
local blobs, missing = blobs_count(ARGV[12] or '', 1)
if missing then
	return { 'refused', 'no_such_attachment', ('%d'):format(missing) }
end
local waiting = call('LLEN', KEYS[4])
local caps = note and {} or cap_list(c[4] or '', c[5] or '', ARGV[15], ARGV[16])
if #caps > 0 then
	local more = 0
	for _, other in ipairs(call('LRANGE', KEYS[4], 0, 99)) do
		local x = call('HMGET', ws .. 'x:' .. other, 'cc', 'hd')
		more = x[1] ~= '1' and x[2] ~= '1' and more + 1 or more
	end
	local wait = cap_wait(caps, more)
	if wait then
		return { 'refused', 'recipient_cap', wait }
	end
end
local put_off = false
if not note and waiting > 0 and ARGV[10] ~= '1' then
	put_off = call('HGET', ws .. 'x:' .. call('LINDEX', KEYS[4], 0), 'hd') == '1'
end
local first = not note and ARGV[10] ~= '1' and w and w.fr == ''
local wake = not note and w and w.s == 'waiting' and w.wf ~= 'customer' and w.a == agent and agent ~= ''

local n = call('RPUSH', KEYS[3], ARGV[5]) - 1
call('HSET', KEYS[2], 'n', n + 1, 'ut', now)
blobs_note(blobs)
local from = ''
if wake then
	from = w.s
	item_move(w, 'assigned')
	item_take(w, w.a, w.cost, w.wc)
end
if first then
	call('HSET', ws .. 'w:' .. w.id, 'fr', now)
end
if not note then
	call('HSET', ws .. 'y:' .. cnv, msg, 'queued')
	call('HSET', KEYS[5], 's', 'queued', 'c', cnv, 'n', n, 'at', 0, 'ct', now, 'id', ARGV[9], 'ex', ARGV[11],
		'mc', ARGV[10])
	if ARGV[14] == '1' then
		call('HSET', KEYS[5], 'cf', '1')
	end
	call('RPUSH', KEYS[4], msg)
	if waiting == 0 or put_off then
		call('ZADD', ws .. 'od', now, cnv)
	end
end
call('HDEL', ws .. 'dr:' .. cnv, agent)
local told = {}
for named in (ARGV[17] or ''):gmatch('[^%s%c"\\]+') do
	told[#told + 1] = '"' .. named .. '"'
	local mn = ws .. 'mn:' .. named
	call('ZADD', mn, now, msg .. ' ' .. cnv .. ' ' .. agent)
	call('ZREMRANGEBYRANK', mn, 0, -201)
	call('PEXPIRE', mn, 7776000000)
end
append('t', 'message.created', 'c', cnv, 'u', c[1], 'm', msg, 'n', n, 'ch', c[4] or '', 'w', w and w.id or '', 'v',
	w and w.v or '', 'a', agent, 'q', w and w.q or '', 'f', from, 'o', wake and w.s or '', 'e',
	note and '{"d":"note"' .. (told[1] and ',"named":[' .. table.concat(told, ',') .. ']' or '') .. '}' or (first and '{"d":"out","fr":1}' or (ARGV[10] == '1' and '{"d":"out","machine":1}' or
		'{"d":"out"}')))
return idem_keep(ARGV[1], ARGV[2], { 'ok', msg, n, w and w.id or '', w and w.s or '', w and w.v or 0 })
