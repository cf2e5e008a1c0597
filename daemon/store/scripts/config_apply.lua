#!lua
-- config_apply: many objects of the business configuration at once: all or none.
-- KEYS 1 meta, 2... cfg:<kind>, one for each kind that is touched
-- ARGV 1 idempotency key, 2 request hash, then four for each object: place of its kind among KEYS, id, version it
--      replaces (0: there is none yet; '': whichever, when it is deleted), JSON ('' deletes it)
-- With an agent that is deleted go the password and the authenticator app (config_delete).
-- The JSON starts with {"version":N and N is one more than what it replaces (config_put).
-- Entry config.changed (x apply, v how many objects, e rv: the new version of the rules, where they changed). Answers
-- {'ok', objects, version of the rules}, or refused version with <kind>:<id> and what is stored.
--@use log
--@use idem
--@use rules
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local kinds = {}
local count = 0
for i = 3, #ARGV, 4 do
	local key = KEYS[tonumber(ARGV[i])]
	local stored = redis.call('HGET', key, ARGV[i + 1])
	local version = stored and stored:match('^{"version":(%d+)') or '0'
	if ARGV[i + 2] ~= '' and version ~= ARGV[i + 2] then
		return { 'refused', 'version', key:match(':cfg:(.*)$') .. ':' .. ARGV[i + 1], version }
	end
	if ARGV[i + 3] ~= '' and ARGV[i + 3]:match('^{"version":(%d+)') ~= tostring(tonumber(version) + 1) then
		return { 'refused', 'form', ARGV[i + 1], version }
	end
	kinds[key:match(':cfg:(.*)$')] = true
	count = count + 1
end
if count == 0 then
	return { 'ok', 0, redis.call('HGET', KEYS[1], 'rv') or '0' }
end
local clock = redis.call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local rules_before = redis.call('HGET', KEYS[1], 'rv') or '0'

for i = 3, #ARGV, 4 do
	local key = KEYS[tonumber(ARGV[i])]
	local kind = key:match(':cfg:(.*)$')
	local born = ws .. 'born:' .. kind
	if ARGV[i + 3] == '' and kind == 'agents' then
		redis.call('HDEL', ws .. 'logins', ARGV[i + 1])
		redis.call('DEL', ws .. 'totp:' .. ARGV[i + 1])
	end
	if ARGV[i + 3] == '' then
		redis.call('HDEL', key, ARGV[i + 1])
		redis.call('ZREM', born, ARGV[i + 1])
	else
		redis.call('HSET', key, ARGV[i + 1], ARGV[i + 3])
		redis.call('ZADD', born, 'NX', now, ARGV[i + 1])
	end
end
local extra = rules_changed(kinds.rules and ' rules ' or '')
append('t', 'config.changed', 'x', 'apply', 'v', count, 'e', extra)
return idem_keep(ARGV[1], ARGV[2], { 'ok', count, extra:match('%d+') or rules_before })
