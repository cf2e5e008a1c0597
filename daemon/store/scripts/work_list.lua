#!lua flags=no-writes
-- work_list: one page of work items by creation, filtered: those that have not ended, unless the state asks for them (their
-- agent is the last one then). Looks at 2,000 items at most, so that a filter nobody
-- meets costs no more than that; the cursor says where to go on. What an agent has is looked up where it is kept.
-- KEYS 1 meta   ARGV 1 state ('' any), 2 queue ('' any), 3 agent ('' any), 4 limit, 5 'asc' or 'desc',
--      6 cursor: '<created ms> <id>' of the last one seen, '' at the start, 7 clocks that are warned or breached ('' any)
-- Answers {cursor ('' on the last page), id, id, ...}.
local ws = KEYS[1]:sub(1, -5)
local state, queue, agent, limit = ARGV[1], ARGV[2], ARGV[3], tonumber(ARGV[4])
local ended = state == 'closed' or state == 'cancelled'
local order = ws .. (ended and 'wz' or 'wx')
local desc, sla = ARGV[5] == 'desc', ARGV[7] or ''
local score, last = ARGV[6]:match('^(%d+) (.+)$')
local command = desc and 'ZREVRANGEBYSCORE' or 'ZRANGEBYSCORE'
local from, to = score or (desc and '+inf' or '-inf'), desc and '-inf' or '+inf'
local answer, seen, skip, cursor = { '' }, 0, 0, ''

local function fits(id)
	local w = redis.call('HMGET', ws .. 'w:' .. id, 's', 'q', ended and 'la' or 'a', 'sl')
	return w[1] and (state == '' or w[1] == state) and (queue == '' or w[2] == queue) and
		(agent == '' or w[3] == agent) and (sla == '' or w[4] == sla)
end

local function is_behind(at, id)
	return not score or at > tonumber(score) == not desc and at ~= tonumber(score) or
		at == tonumber(score) and (id > last) == not desc and id ~= last
end

local function page_of_agent()
	local held, at = {}, {}
	for _, id in ipairs(redis.call('SMEMBERS', ws .. 'aw:' .. agent)) do
		at[id] = tonumber(redis.call('ZSCORE', order, id) or nil)
		if at[id] and is_behind(at[id], id) and fits(id) then
			held[#held + 1] = id
		end
	end
	table.sort(held, function(a, b)
		if at[a] ~= at[b] then
			return (at[a] > at[b]) == desc
		end
		return a ~= b and (a > b) == desc
	end)
	for i = 1, math.min(limit, #held) do
		answer[i + 1] = held[i]
	end
	if #held > limit then
		answer[1] = ('%d %s'):format(at[held[limit]], held[limit])
	end
	return answer
end

if agent ~= '' and not ended then
	return page_of_agent()
end
while seen < 2000 do
	local page = redis.call(command, order, from, to, 'WITHSCORES', 'LIMIT', skip, 200)
	if #page == 0 then
		return answer
	end
	for i = 1, #page, 2 do
		local id = page[i]
		if not score or page[i + 1] ~= score or (desc and id < last) or (not desc and id > last) then
			seen = seen + 1
			if fits(id) then
				if #answer > limit then
					answer[1] = cursor
					return answer
				end
				answer[#answer + 1] = id
			end
			cursor = page[i + 1] .. ' ' .. id
		end
	end
	skip = skip + 200
end
answer[1] = cursor
return answer
