#!lua
-- webhook_test: an event that says nothing comes into an endpoint's outbox.
-- KEYS 1 meta   ARGV 1 idempotency key, 2 request hash, 3 endpoint, 4 event, 5 type, 6 JSON
-- Answers {'ok', event}, refused not_found.
--@use idem
--@use webhook
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
if call('HEXISTS', ws .. 'cfg:webhooks', ARGV[3]) == 0 then
	return { 'refused', 'not_found' }
end
local keys = webhook_keys(ARGV[3])
local number = tonumber(call('HGET', keys.state, 'n') or '0') + 1

webhook_fresh(keys, ARGV[4], number, 't', ARGV[5], 'e', ARGV[6], 'ct', now)
call('HSET', keys.state, 'n', number)
call('SADD', ws .. 'whs', ARGV[3])
return idem_keep(ARGV[1], ARGV[2], { 'ok', ARGV[4] })
