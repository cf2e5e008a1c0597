#!lua flags=allow-oom
-- past_note: what the history has of a conversation from before it came into the store. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 c:<cnv>   ARGV 1 its ct, 2 how many messages, 3 when it began, ms
-- Answers {'ok'}; nothing is written where it has left meanwhile.
if redis.call('HGET', KEYS[2], 'ct') == ARGV[1] then
	redis.call('HSET', KEYS[2], 'pn', ARGV[2], 'pc', ARGV[3])
end
return { 'ok' }
