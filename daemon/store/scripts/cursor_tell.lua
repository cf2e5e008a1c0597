#!lua flags=allow-oom
-- cursor_tell: a provider told an instance that does not poll the channel that there is something to fetch.
-- KEYS 1 meta, 2 told:<channel>
-- Whoever polls looks at the counter. Answers {'ok'}.
redis.call('INCR', KEYS[2])
redis.call('EXPIRE', KEYS[2], 86400)
return { 'ok' }
