#!lua
-- plan_step: a waiting item's plan went on to its next step; whom it is for has changed.
-- KEYS 1 meta, 2 lease:steward, 3 w:<wrk>   ARGV 1 fence, 2 wrk, 3 step, counted from 1 (one more than there are: any agent)
-- queued, offered stay; ps of the item. Entry work_item.state, e.step. Refused step where it is noted already.
--@use log
--@use work
local fence = call('GET', KEYS[2])
if not fence or (fence ~= ARGV[1] and fence:sub(1, #ARGV[1] + 1) ~= ARGV[1] .. ' ') then
	return { 'refused', 'fence' }
end
local w = item_read(ARGV[2])
local refusal = item_check(w, '', '', ' queued offered ')
if refusal then
	return refusal
end
if tonumber(call('HGET', KEYS[3], 'ps') or 1) >= tonumber(ARGV[3]) then
	return { 'refused', 'step', w.s }
end

call('HSET', KEYS[3], 'ps', ARGV[3])
item_log(w, w.s, '', '{"step":' .. ARGV[3] .. '}')
return item_answer(w)
