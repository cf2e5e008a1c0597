#!lua
-- config_put: stores an object of the business configuration.
-- KEYS 1 meta, 2 cfg:<kind>, 3 born:<kind>   ARGV 1 id, 2 version it replaces (0: there is none yet), 3 JSON
-- The JSON starts with {"version":N and N is ARGV 2 plus 1: that is how this script knows a version without reading JSON.
-- Entry config.changed (x <kind>:<id>, v; e rv where it is a rule). Answers {'ok', version}, or refused version with what is stored (0: none).
--@use log
--@use rules
local stored = redis.call('HGET', KEYS[2], ARGV[1])
local version = stored and stored:match('^{"version":(%d+)') or '0'
if stored == ARGV[3] then
	return { 'ok', version }
end
if version ~= ARGV[2] then
	return { 'refused', 'version', version }
end
local next_version = ARGV[3]:match('^{"version":(%d+)')
if not next_version or tonumber(next_version) ~= tonumber(version) + 1 then
	return { 'refused', 'form', version }
end
local clock = redis.call('TIME')

redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[3], 'NX', clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000, ARGV[1])
local kind = KEYS[2]:match(':cfg:(.*)$')
append('t', 'config.changed', 'x', kind .. ':' .. ARGV[1], 'v', next_version, 'e', rules_changed(' ' .. kind .. ' '))
return { 'ok', next_version }
