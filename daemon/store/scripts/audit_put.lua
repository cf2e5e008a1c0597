#!lua flags=allow-oom
-- audit_put: an administrative act is about to be done. Bookkeeping, no log entry.
-- KEYS 1 meta, 2 audit, 3 au:<aud>   ARGV 1 aud, then fields and values: actor, type, target, detail, before ...
-- What is older than 400 days goes, a few at a time. Answers {'ok'}.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
if call('EXISTS', KEYS[3]) == 1 then
	return { 'ok' }
end
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local old = call('ZRANGE', KEYS[2], '-inf', now - 400 * 86400000, 'BYSCORE', 'LIMIT', 0, 10)

for _, aud in ipairs(old) do
	call('UNLINK', ws .. 'au:' .. aud)
	call('ZREM', KEYS[2], aud)
end
call('ZADD', KEYS[2], now, ARGV[1])
call('HSET', KEYS[3], 'at', now, unpack(ARGV, 2))
return { 'ok' }
