#!lua
-- page_tell: what the page that a visitor's chat stands on says of the visitor, instead of what it said before.
-- KEYS 1 meta, 2 c:<cnv>   ARGV 1 cnv, 2 JSON object
-- It is a word of the page, no proof: it is in the conversation (pa), not with the customer. Entry conversation.changed without f and o;
-- none where nothing changed. Answers {'ok'}; refused not_found.
--@use log
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local c = call('HMGET', KEYS[2], 'u', 'pa', 'ch')
if not c[1] then
	return { 'refused', 'not_found' }
end
if (c[2] or '{}') == ARGV[2] then
	return { 'ok' }
end

call('HSET', KEYS[2], 'pa', ARGV[2], 'ut', now)
local version = call('HINCRBY', KEYS[2], 'v', 1)
append('t', 'conversation.changed', 'c', ARGV[1], 'u', c[1], 'ch', c[3] or '', 'v', version)
return { 'ok' }
