#!lua
-- transcript_send: what was said in a visitor's conversation leaves by mail, to the address that the visitor names.
-- KEYS 1 meta, 2 c:<cnv>, 3 trn:<cnv>, 4 tra:<hash of the address>, 5 c:, 6 m:, 7 oq: of the conversation that carries it, 8 x:<msg>
-- ARGV 1 idempotency key, 2 request hash, 3 cnv that carries it, 4 msg, 5 message JSON, 6 channel, 7 address, 8 subject,
--      9 '1' sends are idempotent
-- 3 to an address and 3 of a conversation within an hour. The conversation that carries it is the same customer's, has no
-- work, and an answer to it opens another. Entry message.created (e.d out, nc). Answers {'ok'}; refused not_found, or limit with the ms
-- until one is free.
--@use log
--@use idem
--@use carrier
local before = idem_seen(ARGV[1], ARGV[2])
if before then
	return before
end
local of = carrier_of(KEYS[2])
if not of then
	return { 'refused', 'not_found' }
end
local asked = { KEYS[3], KEYS[4] }
local wait = carrier_wait(asked, { 3, 3 })
if wait then
	return { 'refused', 'limit', wait }
end

carrier_send({ KEYS[5], KEYS[6], KEYS[7], KEYS[8] }, of, { cnv = ARGV[3], msg = ARGV[4], json = ARGV[5], ch = ARGV[6], to = ARGV[7],
	subject = ARGV[8], name = of.nm, idempotent = ARGV[9], expires = 0 })
carrier_count(asked)
return idem_keep(ARGV[1], ARGV[2], { 'ok' })
