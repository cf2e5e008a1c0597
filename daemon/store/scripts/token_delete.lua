#!lua flags=allow-oom
-- token_delete: a token is void from now on.
-- KEYS 1 meta, 2 tok   ARGV 1 sha256 of the token in hex
redis.call('HDEL', KEYS[2], ARGV[1])
return { 'ok' }
