-- Customers as sets of identifiers. Put `--@use person` on a line of its own after `--@use log`. It gives the script
--
--   person_read(cus)            first half: nil where there is none, else {id, v, to, nm, cv = {ids}, wk = {ids}, mf = {ids}, has = {hex =
--                               record}, count}
--   person_talks(p, only)       first half: its hot conversations, newest first, those of identifiers that only names (nil: all): a list of
--                               {id, ut, its items}
--   person_move(p, to, hexes)   second half: identifiers and their place in the index
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
	local p = { id = cus, nm = '', has = {}, count = 0, v = 0 }
	for i = 1, #all, 2 do
		local hex = all[i]:match('^i:(%x+)$')
		if hex then
			p.has[hex] = all[i + 1]
			p.count = p.count + 1
		else
			p[all[i]] = all[i + 1]
		end
	end
	p.v = tonumber(p.v)
	p.cv, p.wk, p.mf = words(p.cv), words(p.wk), words(p.mf)
	return p
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

local function person_move(p, to, hexes)
	for _, hex in ipairs(hexes) do
		local field = hex:gsub('%x%x', function(byte) return string.char(tonumber(byte, 16)) end)
		local bucket = ('%x'):format(tonumber(hex:sub(-4), 16) % 8192)
		redis.call('HSET', ws .. 'i:' .. bucket, field, to)
		redis.call('HSET', ws .. 'u:' .. to, 'i:' .. hex, p.has[hex])
		redis.call('HDEL', ws .. 'u:' .. p.id, 'i:' .. hex)
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
