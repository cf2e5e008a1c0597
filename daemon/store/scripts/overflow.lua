#!lua
-- overflow: the router moves a waiting item to a queue that can cope better.
-- KEYS 1 meta, 2 lease:steward, 3 w:<wrk>
-- ARGV 1 fence, 2 wrk, 3 version, 4 the queue, 5 length, wait, expected_wait, nobody or closed
-- queued -> queued there, at its old place by time; the queue it leaves is noted in ov, so that it does not come back
-- the same way. Entry work_item.state, e.overflow. Refused fence, loop.
--@use log
--@use work
local fence = call('GET', KEYS[2])
if not fence or (fence ~= ARGV[1] and fence:sub(1, #ARGV[1] + 1) ~= ARGV[1] .. ' ') then
	return { 'refused', 'fence' }
end
local w = item_read(ARGV[2])
local refusal = item_check(w, '', ARGV[3], ' queued ')
if refusal then
	return refusal
end
local been = call('HGET', KEYS[3], 'ov') or ''
if ARGV[4] == w.q or (' ' .. been .. ' '):find(' ' .. ARGV[4] .. ' ', 1, true) then
	return { 'refused', 'loop', w.s }
end

local from = w.q
item_move(w, 'queued', 'q', ARGV[4], 'ov', been == '' and from or (from .. ' ' .. been):sub(1, 400), 'qe', now)
call('HDEL', KEYS[3], 'dn')
item_unqueue(w)
w.q = ARGV[4]
item_queue(w)
item_log(w, 'queued', '', '{"overflow":"' .. ARGV[5] .. '"}')
return item_answer(w)
