#!lua
-- call: what an event of a phone call, which was admitted, means for the work item of its conversation.
-- KEYS 1 meta, 2 c:<cnv>
-- ARGV 1 ringing, answered, ended, missed, 2 order among the call's events (0: only the first answer counts), 3 agent who talks ('' not
--      told, or none of ours), 4 cost of the item to that agent, 5 and while it waits, 6 '1' it is known to have been
--      answered, 7 queue that the next two are of ('' not known yet), 8 wrap-up ms, 9 ms until a resolved item closes by
--      itself (0: never)
-- answered: queued, offered, assigned to another -> assigned to the agent, first response stamped (e.fr), e.call answered.
-- over and answered: assigned -> wrapping or resolved; queued, offered -> resolved; e.call ended.
-- over and not answered: queued, offered, assigned: type callback, state as it is; e.call missed. A late "answered" takes
-- that back (queued, offered -> resolved).
-- What of the call is known stands in c:<cnv> tl: answered, over, order of the newest answer. Nothing goes back, so a
-- re-send and what comes late do no harm. Answers {'ok', state} ('' where there is no item), {'queue', q}: run again with
-- what is said of that queue; refused not_found.
--@use log
--@use grace
--@use work
local event, order, agent = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local c = call('HMGET', KEYS[2], 'u', 'w', 'tl')
if not c[1] then
	return { 'refused', 'not_found' }
end
local was_answered, was_over, newest = (c[3] or '0 0 0'):match('^(%d) (%d) (%d+)$')
was_answered, was_over, newest = was_answered == '1', was_over == '1', tonumber(newest)
local w = c[2] and c[2] ~= '' and item_read(c[2]) or nil
-- Only an answer is a response here: so much is known even where tl was lost with the store.
was_answered = was_answered or (w ~= nil and w.fr ~= '')
local answered = was_answered or event == 'answered' or ARGV[6] == '1'
local over = was_over or event == 'ended' or event == 'missed'
local offers = w and offers_read(w) or {}
local kind, before
if w then
	kind, before = unpack(call('HMGET', ws .. 'w:' .. w.id, 'ty', 'ot'))
end

local act = ''
local untaken = w and (w.s == 'queued' or w.s == 'offered')
if w and over and answered then
	local is_news = event == 'ringing' or not (was_over and was_answered)
	if is_news and (untaken or (w.s == 'assigned' and not was_over)) then
		act = 'end'
	end
elseif w and over then
	if (event == 'ringing' or not was_over) and kind ~= 'callback' and (untaken or w.s == 'assigned') then
		act = 'callback'
	end
elseif w and event == 'answered' and agent ~= '' and (not was_answered or order > newest) then
	if untaken or (w.s == 'assigned' and w.a ~= agent) then
		act = 'take'
	end
end
if act == 'end' and ARGV[7] ~= w.q then
	return { 'queue', w.q }
end
local is_first = event == 'answered' and w and w.fr == '' and not was_over
local from = w and w.s or ''
local wraps = act == 'end' and from == 'assigned' and tonumber(ARGV[8]) > 0
local key = w and ws .. 'w:' .. w.id
if event == 'answered' and order > newest then
	newest = order
end

call('HSET', KEYS[2], 'tl', ('%d %d %.0f'):format(answered and 1 or 0, over and 1 or 0, newest))
if is_first then
	call('HSET', key, 'fr', now)
end
if act == 'take' then
	local was = w.a
	item_move(w, 'assigned', 'o', '', 'wc', ARGV[5])
	item_unqueue(w)
	local pieces = item_waited(w) .. offers_close(w, offers, 'rescinded')
	item_leave(w, from)
	pieces = pieces .. transfer_close(w, 'accepted')
	item_take(w, agent, tonumber(ARGV[4]))
	item_log(w, from, '', item_extra(',"call":"answered"', is_first and ',"fr":1' or '', pieces,
		was ~= '' and ',"was":"' .. was .. '"' or ''))
elseif wraps then
	item_move(w, 'wrapping', 'rs', 'call_ended', 'cl', ARGV[9], 'we', 0)
	item_arm(w, 'wrap:' .. w.id .. ':' .. w.v, now + ARGV[8])
	item_log(w, from, '', '{"call":"ended"}')
elseif act == 'end' then
	item_move(w, 'resolved', 'rs', 'call_ended', 'o', '', 'co', '', 'ty', before or kind or '')
	item_unqueue(w)
	local pieces = offers_close(w, offers, 'rescinded')
	item_leave(w, from)
	pieces = pieces .. transfer_close(w, 'cancelled')
	if ARGV[9] ~= '0' then
		item_arm(w, 'close:' .. w.id .. ':' .. w.v, now + ARGV[9])
	end
	item_log(w, from, '', item_extra(',"call":"ended"', pieces))
elseif act == 'callback' then
	w.v = w.v + 1
	call('HSET', key, 'ty', 'callback', 'ot', kind or '', 'v', w.v)
	item_log(w, from, '', '{"call":"missed"}')
elseif is_first then
	item_log(w, from, '', '{"call":"answered","fr":1}')
end
return { 'ok', w and w.s or '' }
