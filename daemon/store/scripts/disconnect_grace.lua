#!lua flags=allow-oom
-- disconnect_grace: nothing was heard of an agent for meta.grace (timer gone:<agent>). One item a call goes back to
-- its queue; the last call says offline. Items that wait for somebody stay with the agent,
-- and so does what a tool holds by a lease.
-- KEYS 1 meta, 2 a:<agent>   ARGV 1 agent
-- assigned -> queued (entry work_item.state, e.gone), then agent.presence. Answers {'ok', 'later'} where the agent
-- was heard of, {'ok', 'more'} after an item, {'ok', 'done'}.
--@use log
--@use grace
--@use work
local agent, timer = ARGV[1], 'gone:' .. ARGV[1]
local a = call('HMGET', KEYS[2], 'seen', 'st', 'v')
local items = call('SMEMBERS', ws .. 'aw:' .. agent)
local due = tonumber(a[1] or 0) + grace
local wished = call('ZSCORE', ws .. 'wishes', agent)
local w
for _, id in ipairs(items) do
	local held = not w and call('HMGET', ws .. 'w:' .. id, 's', 'lx')
	if held and held[1] == 'assigned' and (not held[2] or held[2] == '') then
		w = item_read(id)
	end
end

if due > now or wished then
	call('ZADD', ws .. 'timers', due > now and due or now + grace, timer)
	return { 'ok', 'later' }
end
if w then
	item_move(w, 'queued')
	item_leave(w, 'assigned')
	local ended = transfer_close(w, 'cancelled')
	item_queue(w)
	item_log(w, 'assigned', '', item_extra(',"gone":1', ended))
	return { 'ok', 'more', w.id }
end
call('ZREM', ws .. 'timers', timer)
if a[2] and a[2] ~= 'offline' then
	local version = tonumber(a[3] or 0) + 1
	call('HSET', KEYS[2], 'st', 'offline', 'v', version)
	append('t', 'agent.presence', 'a', agent, 'f', a[2], 'o', 'offline', 'v', version, 'e', '{"gone":1}')
end
return { 'ok', 'done' }
