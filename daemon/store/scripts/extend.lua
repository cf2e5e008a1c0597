#!lua flags=allow-oom
-- extend: a tool keeps its claim for longer. Bookkeeping: no entry.
-- KEYS 1 meta, 2 w:<wrk>   ARGV 1 wrk, 2 agent, 3 ms from now
--@use log
--@use work
local w = item_read(ARGV[1])
local refusal = item_check(w, ARGV[2], '', ' assigned ')
if refusal then
	return refusal
end
if w.lx == '' then
	return { 'refused', 'no_lease', w.s }
end

call('HSET', KEYS[2], 'lx', now + ARGV[3])
item_arm(w, 'lease:' .. w.id, now + ARGV[3])
return item_answer(w)
