#!lua flags=allow-oom
-- blob_gone: the bytes of these blobs are destroyed. Bookkeeping, no log entry.
-- KEYS 1 meta   ARGV their ids
-- Answers {'ok'}.
redis.call('ZREM', KEYS[1]:sub(1, -5) .. 'bx', unpack(ARGV))
return { 'ok' }
