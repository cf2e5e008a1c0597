#!lua flags=no-writes
-- audit_read: a page of the audit.
-- KEYS 1 meta, 2 audit   ARGV 1 from ms, 2 to ms, 3 asc or desc, 4 how many, 5 "<ms> <aud>" of the last one before ('': the first
--      page), 6 actor ('' any), 7 type, or its first words ('' any)
-- Looks at 5000 at most. Answers {'ok', mark of the last one looked at where more follow or '', {aud, fields and values} ...}.
local ws = KEYS[1]:sub(1, -5)
local up, limit = ARGV[3] == 'asc', tonumber(ARGV[4])
local from, to = tonumber(ARGV[1]), tonumber(ARGV[2])
local ms, last = ARGV[5]:match('^(%d+) (%S+)$')
if ms then
	from, to = up and tonumber(ms) or from, up and to or tonumber(ms)
end
local function is_wanted(kind)
	return ARGV[7] == '' or kind == ARGV[7] or kind:sub(1, #ARGV[7] + 1) == ARGV[7] .. '.'
end
local answer, seen, offset = { 'ok', '' }, 0, 0
while true do
	local rows
	if up then
		rows = redis.call('ZRANGE', KEYS[2], from, to, 'BYSCORE', 'LIMIT', offset, 100, 'WITHSCORES')
	else
		rows = redis.call('ZRANGE', KEYS[2], to, from, 'BYSCORE', 'REV', 'LIMIT', offset, 100, 'WITHSCORES')
	end
	if #rows == 0 then
		answer[2] = ''
		return answer
	end
	for i = 1, #rows, 2 do
		local aud, at = rows[i], rows[i + 1]
		local is_past = last and tonumber(at) == tonumber(ms) and ((up and aud <= last) or (not up and aud >= last))
		if not is_past then
			if #answer - 2 >= limit or seen == 5000 then
				return answer
			end
			seen = seen + 1
			answer[2] = ('%.0f '):format(tonumber(at)) .. aud
			local actor, kind = unpack(redis.call('HMGET', ws .. 'au:' .. aud, 'actor', 'type'))
			if kind and (ARGV[6] == '' or ARGV[6] == actor) and is_wanted(kind) then
				answer[#answer + 1] = { aud, redis.call('HGETALL', ws .. 'au:' .. aud) }
			end
		end
	end
	offset = offset + 100
end
