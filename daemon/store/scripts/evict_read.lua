#!lua flags=no-writes
-- evict_read: a conversation or a work item as it is handed over to the history.
-- KEYS 1 meta   ARGV 1 cnv or wrk
-- Answers {'ok', digest for evict, ms of the store's clock, fields and values of its hash, how many messages}, or
-- {'refused', not_found}.
--@use log
--@use rest
local id = ARGV[1]
local is_item = id:sub(1, 4) == 'wrk_'
local digest = (is_item and item_seen or conversation_seen)(id)
if not digest then
	return { 'refused', 'not_found' }
end
return { 'ok', digest, now, call('HGETALL', ws .. (is_item and 'w:' or 'c:') .. id),
	is_item and 0 or call('LLEN', ws .. 'm:' .. id) }
