#!lua flags=allow-oom
-- config_delete: removes an object of the business configuration.
-- KEYS 1 meta, 2 cfg:<kind>, 3 born:<kind>   ARGV 1 id, 2 version it has ('': whichever)
-- An agent's password and authenticator app go along: who gets the id next is somebody else.
-- Entry config.changed (x <kind>:<id>, v, e deleted). Answers ok (also where it is gone), or refused version with what is stored.
--@use log
--@use rules
local stored = redis.call('HGET', KEYS[2], ARGV[1])
if not stored then
	return { 'ok' }
end
local version = stored:match('^{"version":(%d+)') or '0'
if ARGV[2] ~= '' and ARGV[2] ~= version then
	return { 'refused', 'version', version }
end
local kind = KEYS[2]:match(':cfg:(.*)$')
if kind == 'agents' then
	redis.call('HDEL', ws .. 'logins', ARGV[1])
	redis.call('DEL', ws .. 'totp:' .. ARGV[1])
end
redis.call('HDEL', KEYS[2], ARGV[1])
redis.call('ZREM', KEYS[3], ARGV[1])
local rules = rules_changed(' ' .. kind .. ' ')
append('t', 'config.changed', 'x', kind .. ':' .. ARGV[1], 'v', version, 'e',
	rules == '' and '{"deleted":true}' or '{"deleted":true,' .. rules:sub(2))
return { 'ok' }
