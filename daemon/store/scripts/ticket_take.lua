#!lua
-- ticket_take: a one-time ticket: what it stands for, once. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 ses:<hash>
local kept = redis.call('HGET', KEYS[2], 'j')
redis.call('DEL', KEYS[2])
return kept
