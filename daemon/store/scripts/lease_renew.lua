#!lua flags=allow-oom
-- lease_renew: renews the leases of one instance in one workspace.
-- KEYS 1 meta, then lease:<name>...   ARGV 1 ms they last, then the value of each
-- Answers {'ok', 1 or 0 for each}: 0 was lost.
local held = { 'ok' }
for i = 2, #KEYS do
	held[i] = redis.call('GET', KEYS[i]) == ARGV[i] and 1 or 0
end
for i = 2, #KEYS do
	if held[i] == 1 then
		redis.call('PEXPIRE', KEYS[i], ARGV[1])
	end
end
return held
