#!lua flags=allow-oom
-- seen: a request or a live stream of this agent. Bookkeeping: no entry. The timer gone:<agent> moves when it fires.
-- KEYS 1 meta, 2 a:<agent>
local clock = redis.call('TIME')
redis.call('HSET', KEYS[2], 'seen', clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000)
return { 'ok' }
