-- Customers as sets of identifiers. Put `--@use person` on a line of its own after `--@use log`. It gives the script
--
--   person_read(cus)            first half: nil where there is none, else {id, v, to, nm, cv = {ids}, wk = {ids}, mf = {ids}, has = {hex =
--                               record}, via = {hex = the merge or split that brought it}, count}
--   person_proved(record)       kind and scope of an identifier that the person proved (T2); nil for others
--   person_talks(p, only)       first half: its hot conversations, newest first, those of identifiers that only names (nil: all): a list of
--                               {id, ut, its items}
--   person_places(p, hexes)     first half: identifiers of p with their places in the index, and whether these are p's: a claim beside
--                               a proved sender has none, and two customers may claim the same
--   person_brought(p, hex, mrg) first half: whether it came to p by this merge, or by later ones from whom it had come to by this one
--   person_move(p, to, places)  second half: their records, with what brought them (place.via, or nil), and the places that are p's
--   person_talk(talk, to)       second half: a conversation and its items are that customer's
--   person_list(cus, field, ids)  second half: a list of ids; an empty one goes
--   words(text)                 a list of the words
local PERSON_MAX = 64

local function words(text)
	local list = {}
	for word in (text or ''):gmatch('%S+') do
		list[#list + 1] = word
	end
	return list
end

local function person_read(cus)
	local all = redis.call('HGETALL', ws .. 'u:' .. cus)
	if #all == 0 then
		return nil
	end
	local p = { id = cus, nm = '', has = {}, via = {}, count = 0, v = 0 }
	for i = 1, #all, 2 do
		local hex = all[i]:match('^i:(%x+)$')
		if hex then
			p.has[hex] = all[i + 1]
			p.count = p.count + 1
		elseif all[i]:sub(1, 2) == 'b:' then
			p.via[all[i]:sub(3)] = all[i + 1]
		else
			p[all[i]] = all[i + 1]
		end
	end
	p.v = tonumber(p.v)
	p.cv, p.wk, p.mf = words(p.cv), words(p.wk), words(p.mf)
	return p
end

local function person_proved(record)
	return record:match('^(%["[^"]*","[^"]*"),".-[^\\]",2,')
end

local function person_talks(p, only)
	local talks = {}
	for _, cnv in ipairs(p.cv) do
		local c = redis.call('HMGET', ws .. 'c:' .. cnv, 'ik', 'ut', 'w', 'lw')
		if c[1] and (not only or only[c[1]]) then
			local items = {}
			for i = 3, 4 do
				if c[i] and c[i] ~= '' and redis.call('EXISTS', ws .. 'w:' .. c[i]) == 1 then
					items[#items + 1] = c[i]
				end
			end
			talks[#talks + 1] = { cnv, tonumber(c[2] or 0), items }
		end
	end
	return talks
end

local function person_places(p, hexes)
	local places = {}
	for _, hex in ipairs(hexes) do
		local field = hex:gsub('%x%x', function(byte) return string.char(tonumber(byte, 16)) end)
		local key = ws .. 'i:' .. ('%x'):format(tonumber(hex:sub(-4), 16) % 8192)
		places[#places + 1] = { hex = hex, key = key, field = field, is_own = redis.call('HGET', key, field) == p.id }
	end
	return places
end

local function person_brought(p, hex, mrg)
	local at, kind = p.via[hex]
	for _ = 1, PERSON_MAX do
		if not at or at == mrg then
			return at == mrg
		end
		kind, at = unpack(redis.call('HMGET', ws .. 'mg:' .. at, 'k', 'b:' .. hex))
		if kind ~= 'merge' then
			return false
		end
	end
	return false
end

local function person_move(p, to, places)
	for _, place in ipairs(places) do
		if place.is_own then
			redis.call('HSET', place.key, place.field, to)
		end
		if p.has[place.hex] then
			redis.call('HSET', ws .. 'u:' .. to, 'i:' .. place.hex, p.has[place.hex])
			redis.call('HDEL', ws .. 'u:' .. p.id, 'i:' .. place.hex, 'b:' .. place.hex)
			if place.via then
				redis.call('HSET', ws .. 'u:' .. to, 'b:' .. place.hex, place.via)
			else
				redis.call('HDEL', ws .. 'u:' .. to, 'b:' .. place.hex)
			end
		end
	end
end

local function person_talk(talk, to)
	redis.call('HSET', ws .. 'c:' .. talk[1], 'u', to)
	for _, wrk in ipairs(talk[3]) do
		redis.call('HSET', ws .. 'w:' .. wrk, 'u', to)
	end
end

local function person_list(cus, field, ids)
	if #ids == 0 then
		redis.call('HDEL', ws .. 'u:' .. cus, field)
	else
		redis.call('HSET', ws .. 'u:' .. cus, field, table.concat(ids, ' '))
	end
end
