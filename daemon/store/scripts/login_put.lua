#!lua
-- login_put: how an agent signs in: the hash of the password, and the role. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 logins   ARGV 1 agent, 2 JSON
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return { 'ok' }
