#!lua flags=allow-oom
-- session_delete: a session ends.
-- KEYS 1 meta, 2 ses:<hash>
redis.call('DEL', KEYS[2])
return { 'ok' }
