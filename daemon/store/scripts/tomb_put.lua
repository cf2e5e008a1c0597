#!lua flags=allow-oom
-- tomb_put: an identifier was erased before the store was restored. Bookkeeping, no log entry.
-- KEYS 1 meta   ARGV 1 identifier hash (hex), 2 when, ms
-- Answers {'ok'}.
local ws = KEYS[1]:sub(1, -5)
local field = ARGV[1]:gsub('%x%x', function(byte) return string.char(tonumber(byte, 16)) end)
redis.call('HSETNX', ws .. 'tomb:' .. ('%x'):format(tonumber(ARGV[1]:sub(-4), 16) % 8192), field, ARGV[2])
return { 'ok' }
