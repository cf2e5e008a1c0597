#!lua flags=no-writes
-- dead_list: one page of dead letters by when they died.
-- KEYS 1 meta, 2 dead   ARGV 1 'asc' or 'desc', 2 limit (at most 200), 3 '<ms>:<id>' of the last one seen, '' at the start
-- Answers {cursor ('' on the last page), {id, when ms, HGETALL of dead:<id>}, ...}.
local ws = KEYS[1]:sub(1, -5)
local desc, limit = ARGV[1] == 'desc', tonumber(ARGV[2])
local score, last = ARGV[3]:match('^(%d+):(.+)$')
local command = desc and 'ZREVRANGEBYSCORE' or 'ZRANGEBYSCORE'
local from, to = score or (desc and '+inf' or '-inf'), desc and '-inf' or '+inf'
local answer, skip = { '' }, 0
while true do
	local page = redis.call(command, KEYS[2], from, to, 'WITHSCORES', 'LIMIT', skip, limit + 1)
	for i = 1, #page, 2 do
		local id, when = page[i], page[i + 1]
		if not score or when ~= score or (desc and id < last) or (not desc and id > last) then
			if #answer > limit then
				local shown = answer[#answer]
				answer[1] = shown[2] .. ':' .. shown[1]
				return answer
			end
			answer[#answer + 1] = { id, when, redis.call('HGETALL', ws .. 'dead:' .. id) }
		end
	end
	if #page <= 2 * limit then
		return answer
	end
	skip = skip + limit + 1
end
