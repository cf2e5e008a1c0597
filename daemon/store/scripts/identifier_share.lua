#!lua
-- identifier_share: an identifier says who writes, or only from where (a family's phone, a reception's mailbox).
-- KEYS 1 meta, 2 u:<cus>   ARGV 1 idempotency key, 2 request hash, 3 cus, 4 version ('' whichever), 5 identifier hash (hex), 6 its record before,
--      7 its record after
-- Refused: not_found, moved, version, no_identifier (or the record is another by now). Entry customer.updated. Answers {'ok', '', cus, version}.
--@use log
--@use idem
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local u = redis.call('HMGET', KEYS[2], 'v', 'to', 'i:' .. ARGV[5])
if not u[1] then
	return { 'refused', 'not_found', ARGV[3] }
end
if u[2] then
	return { 'refused', 'moved', ARGV[3], u[2] }
end
if ARGV[4] ~= '' and ARGV[4] ~= u[1] then
	return { 'refused', 'version', ARGV[3], u[1] }
end
if u[3] ~= ARGV[6] then
	return { 'refused', 'no_identifier' }
end
local version = tonumber(u[1]) + 1

redis.call('HSET', KEYS[2], 'v', version, 'i:' .. ARGV[5], ARGV[7])
append('t', 'customer.updated', 'u', ARGV[3], 'v', version)
return idem_keep(ARGV[1], ARGV[2], { 'ok', '', ARGV[3], version })
