#!lua
-- token_put: stores a token under its hash.
-- KEYS 1 meta, 2 tok   ARGV 1 sha256 of the token in hex, 2 JSON
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return { 'ok' }
