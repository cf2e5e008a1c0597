#!lua
-- rate: a token bucket.
-- KEYS 1 meta, 2 rate:<what>:<slot>   ARGV 1 size of the bucket, 2 tokens a second, 3 tokens taken
-- Answers {'ok', whole tokens left}, or refused rate with the ms until there are enough.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local size, speed, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local tokens, at = (redis.call('GET', KEYS[2]) or ''):match('^([%d.]+) (%d+)$')
tokens = tonumber(tokens or size)
tokens = math.min(size, tokens + math.max(0, now - tonumber(at or now)) * speed / 1000)
if tokens < cost then
	return { 'refused', 'rate', math.ceil((cost - tokens) * 1000 / speed) }
end
local left = tokens - cost
local full_ms = math.max(1, math.ceil((size - left) * 1000 / speed))
redis.call('SET', KEYS[2], string.format('%.3f %.0f', left, now), 'PX', string.format('%.0f', full_ms))
return { 'ok', math.floor(left) }
