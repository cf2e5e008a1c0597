#!lua flags=allow-oom
-- whisper: a short text to every instance that listens right now. Kept nowhere.
-- KEYS 1 meta   ARGV 1 text
redis.call('PUBLISH', KEYS[1]:sub(1, -5) .. 'bell', ARGV[1])
return { 'ok' }
