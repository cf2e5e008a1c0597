#!lua
-- code_verify: somebody answers a one-time code.
-- KEYS 1 meta, 2 c:<cnv>, 3 otp:<cnv>   ARGV 1 cnv, 2 keyed hash of the answer, 3 nonce of this answer, 4 channel
-- Right: the address is proved (T2) for the conversation's customer; where another customer has proved it, both are told of each
-- other (score 100) and the caller merges them, unless a person said that they are two. An address that is shared proves nobody. Entry customer.updated where the
-- record changed.
-- Answers {'ok', cus, the other customer or '', record JSON}, {'wrong', attempts left}, or refused none where no code is open, too_many
-- where the customer has 64 identifiers without it (the code stays open).
--@use log
--@use suggest
local call = redis.call
local PERSON_MAX = 64
local o = call('HMGET', KEYS[3], 'h', 'left', 'f', 'bk', 'lb', 'r1', 'r2', 'nonce', 'said', 'rec', 'cus', 'other')
if o[8] == ARGV[3] then
	if o[9] == 'ok' then
		return { 'ok', o[11], o[12], o[10] }
	end
	return { 'wrong', tonumber(o[2]) }
end
local cus = call('HGET', KEYS[2], 'u')
if not o[1] or not cus then
	return { 'refused', 'none' }
end
local left = tonumber(o[2]) - 1
local clock, now, u, owner, shared, here, there, record
if o[1] == ARGV[2] then
	clock = call('TIME')
	now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
	record = o[6] .. clock[1] .. o[7]
	cus = call('HGET', ws .. 'u:' .. cus, 'to') or cus
	u = call('HMGET', ws .. 'u:' .. cus, 'v')
	owner = call('HGET', ws .. 'i:' .. o[4], o[3])
	owner = owner and (call('HGET', ws .. 'u:' .. owner, 'to') or owner)
	shared = owner and (call('HGET', ws .. 'u:' .. owner, o[5]) or ''):sub(-6) == ',"sh"]'
	if owner and owner ~= cus and not shared then
		here, there = suggestion_room(cus, owner, 100), suggestion_room(owner, cus, 100)
	end
	if (not owner or owner == cus) and not shared and call('HLEN', ws .. 'u:' .. cus) >= PERSON_MAX and
		call('HEXISTS', ws .. 'u:' .. cus, o[5]) == 0 then
		local count = 0
		for _, label in ipairs(call('HKEYS', ws .. 'u:' .. cus)) do
			count = label:sub(1, 2) == 'i:' and count + 1 or count
		end
		if count >= PERSON_MAX then
			return { 'refused', 'too_many' }
		end
	end
end

if not record then
	if left == 0 then
		call('HDEL', KEYS[3], 'h')
	end
	call('HSET', KEYS[3], 'left', left, 'nonce', ARGV[3], 'said', 'wrong')
	return { 'wrong', left }
end
local other = here and there and owner or ''
call('HDEL', KEYS[3], 'h')
call('HSET', KEYS[3], 'nonce', ARGV[3], 'said', 'ok', 'rec', record, 'cus', cus, 'other', other)
if (not owner or owner == cus) and not shared then
	local version = tonumber(u[1] or 0) + 1
	call('HSET', ws .. 'i:' .. o[4], o[3], cus)
	call('HSET', ws .. 'u:' .. cus, o[5], record, 'v', version)
	append('t', 'customer.updated', 'u', cus, 'v', version)
elseif other ~= '' then
	local evidence = '{"channel":"' .. ARGV[4] .. '","identifier":' .. record .. '}'
	suggestion_put(cus, other, here, 100, evidence, now)
	suggestion_put(other, cus, there, 100, evidence, now)
end
return { 'ok', cus, other, record }
