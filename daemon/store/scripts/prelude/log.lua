-- The thin log. Put `--@use log` on a line of its own after the script's comment. It gives the script:
--
--   ws                          the prefix "{ws}:" of every key of the workspace (a local text)
--   append('t', 'work_item.state', 'w', id, 'f', 'queued', 'o', 'assigned', 'v', v)
--                               one entry of names and values (names: README, "Log entry fields"); returns its id.
--                               Leave out what does not apply; '' reads as absent too. nil or false is an error.
--
-- append() only writes and belongs in the second half, once per transition. Entries whose names are the same in the
-- same order are stored without the names: keep one fixed order of fields per script.
-- The doorbell: a reader about to sleep sets meta.bell to 1; the next entry rings once and clears it. The flag is
-- read here, at the script's start, so that the second half reads nothing.
local ws = KEYS[1]:sub(1, -5)
local bell = redis.call('HGET', KEYS[1], 'bell')

local function append(...)
	local id = redis.call('XADD', ws .. 'log', '*', ...)
	if bell == '1' then
		redis.call('HSET', KEYS[1], 'bell', '0')
		redis.call('PUBLISH', ws .. 'bell', '')
		bell = '0'
	end
	return id
end
