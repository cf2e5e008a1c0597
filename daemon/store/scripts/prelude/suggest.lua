-- Suggestions that two customers are one person. Put `--@use suggest` on a line of its own after `--@use log`. It gives the script
--
--   suggestion_room(cus, other, score)   first half: nil where it is to be left alone (a person decided, or a stronger
--                                        one stands there), else '' or the weakest one that gives way
--   suggestion_put(cus, other, gone, score, evidence, at)   second half: one side, and its entry; evidence is JSON made in C
--   suggestion_no(cus, other, gone, by, at)   second half: one side, decided: the two are not one
--   suggestion_find(cus, other, mf)      first half: the name it has in cus's list (the other's id, or that of somebody merged into it,
--                                        the list mf) and its JSON; nothing where there is none
local SUGGESTIONS = 16

local function suggestion_room(cus, other, score)
	local key = ws .. 'sg:' .. cus
	local known = redis.call('HGET', key, other)
	if known then
		local open = known:match('^{"state":"open","score":(%d+),')
		if not open or tonumber(open) > score then
			return nil
		end
		return ''
	end
	if redis.call('HLEN', key) < SUGGESTIONS then
		return ''
	end
	local all = redis.call('HGETALL', key)
	local weakest, least
	for i = 1, #all, 2 do
		local had = tonumber(all[i + 1]:match('"score":(%d+)')) or 0
		if not least or had < least then
			weakest, least = all[i], had
		end
	end
	return least <= score and weakest or nil
end

local function suggestion_find(cus, other, mf)
	local key = ws .. 'sg:' .. cus
	local text = redis.call('HGET', key, other)
	if text then
		return other, text
	end
	for _, id in ipairs(mf) do
		text = redis.call('HGET', key, id)
		if text then
			return id, text
		end
	end
end

local function suggestion_put(cus, other, gone, score, evidence, at)
	local key = ws .. 'sg:' .. cus
	if gone ~= '' then
		redis.call('HDEL', key, gone)
	end
	redis.call('HSET', key, other, string.format('{"state":"open","score":%d,"at":%.0f,"evidence":[', score, at) .. evidence ..
		']}')
	append('t', 'customer.updated', 'u', cus, 'e', '{"suggestions":1}')
end

local function suggestion_no(cus, other, gone, by, at)
	local key = ws .. 'sg:' .. cus
	if gone ~= '' then
		redis.call('HDEL', key, gone)
	end
	redis.call('HSET', key, other, string.format('{"state":"dismissed","by":"%s","score":0,"at":%.0f,"evidence":[]}', by, at))
end
