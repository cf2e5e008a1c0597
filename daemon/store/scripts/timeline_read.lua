#!lua flags=no-writes
-- timeline_read: what happened with a customer over all channels, the newest first.
-- KEYS 1 meta, 2 u:<cus>   ARGV 1 how many (at most 100), 2 key of the last one before ('': the first page), 3 '1': neither notes nor business events; 'events': these alone
-- Follows a redirect. Every entry has a key that sorts by time: 15 digits of ms, a space, and what it is. Messages (of the 50
-- newest conversations), notes about the customer, and of work items when they were opened and when they came into the state
-- they are in, and business events (event_put). A conversation is opened only when it may hold the next entry, so a page costs what it shows.
-- A message's key ends with its position, which it keeps when it leaves the store.
-- Answers {'none'}, else {'ok', cus, key of the last one where more follow or '', {what else the history may have, texts parted
-- by spaces: this customer and those merged into it; hashes of the identifiers; the conversations that are in here, each with
-- its ct; the work items and events that are in here}, then entries:
--   {'message', key, cnv, channel, JSON, mark, provider id, files}, {'note', key, JSON}, {'event', key, JSON},
--   {'work_item', key, wrk, number, state, queue, agent, cnv, ms}}.
local ws = KEYS[1]:sub(1, -5)
--@use customer
local call = redis.call
local cus, _, merged = customer_now(KEYS[2]:sub(#ws + 3))
if not cus then
	return { 'none' }
end
local limit, after, no_notes, only_events = math.min(tonumber(ARGV[1]), 100), ARGV[2], ARGV[3] == '1', ARGV[3] == 'events'

local function time_key(ms, id)
	return ('%015.0f '):format(tonumber(ms) or 0) .. id
end

local DIGITS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
local function id_ms(id)
	local ms = 0
	for i = 5, 14 do
		ms = ms * 32 + (DIGITS:find(id:sub(i, i), 1, true) or 1) - 1
	end
	return ms
end

-- A source: head() is the key of its newest entry below `after`, or nil; take() gives that entry and goes on.
local sources = {}

local function list_add(entries)
	table.sort(entries, function(a, b)
		return a[2] > b[2]
	end)
	local at = 1
	while entries[at] and after ~= '' and entries[at][2] >= after do
		at = at + 1
	end
	sources[#sources + 1] = {
		head = function()
			return entries[at] and entries[at][2]
		end,
		take = function()
			at = at + 1
			return entries[at - 1]
		end,
	}
end

-- A stored message ends with when it was made, RFC 3339 in UTC. What stands in a moved one's place has none of this.
local PLACES = 4096 -- LIMIT_PLACES_PER_MS
local function message_key(text, cnv, position)
	local y, m, d, h, min, sec, ms = text:match('"created_at":"(%d+)-(%d+)-(%d+)T(%d+):(%d+):(%d+)%.(%d+)Z"}$')
	if not y then
		return nil
	end
	y = y - (m - 2 > 0 and 0 or 1)
	local era = math.floor(y / 400)
	local year = y - era * 400
	local day = math.floor((153 * ((m + 9) % 12) + 2) / 5) + d - 1
	local days = era * 146097 + year * 365 + math.floor(year / 4) - math.floor(year / 100) + day - 719468
	return time_key(((days * 24 + h) * 60 + min) * 60000 + sec * 1000 + ms, ('%s %017.0f'):format(cnv, position))
end

local STEP = 8
local function conversation_add(cnv, channel, newest, base)
	local key, left = ws .. 'm:' .. cnv, nil
	local rows, at, next_key, next_text = {}, 0, nil, nil
	local function step()
		next_key = nil
		while not next_key do
			if at == 0 then
				left = left or call('LLEN', key)
				if left == 0 then
					return
				end
				local from = math.max(left - STEP, 0)
				rows = call('LRANGE', key, from, left - 1)
				left, at = from, #rows
				if at == 0 then
					return
				end
			end
			local text = rows[at]
			local found = message_key(text, cnv, base + left + at - 1)
			at = at - 1
			if found and (after == '' or found < after) and
				not (no_notes and text:find('"kind":"note","text":', 1, true)) then
				next_key, next_text = found, text
			end
		end
	end
	-- Where the page begins: everything behind it is younger, so halving finds it.
	local function open()
		left = call('LLEN', key)
		if after ~= '' then
			local low, high = 0, left
			while low < high do
				local middle = math.floor((low + high) / 2)
				local found = message_key(call('LINDEX', key, middle) or '', cnv, base + middle)
				if found and found >= after then
					high = middle
				else
					low = middle + 1
				end
			end
			left = math.min(left, low + STEP)
		end
		step()
	end
	local opened = false
	sources[#sources + 1] = {
		head = function()
			return opened and next_key or (not opened and newest) or nil
		end,
		take = function()
			if not opened then
				opened = true
				open()
				return nil
			end
			local msg = next_text:match('},"id":"(msg_%w+)"') or ''
			local marks = call('HMGET', ws .. 'y:' .. cnv, msg, msg .. '.id', msg .. '.files')
			local entry = { 'message', next_key, cnv, channel, next_text, marks[1] or '', marks[2] or '', marks[3] or '' }
			step()
			return entry
		end,
	}
end

local u = call('HMGET', ws .. 'u:' .. cus, 'cv', 'wk')
local items, count, here, held = {}, 0, {}, {}
local function item_add(wrk)
	local w = wrk and wrk ~= '' and call('HMGET', ws .. 'w:' .. wrk, 's', 'num', 'q', 'a', 'c', 'ct', 'st')
	if not w or not w[1] then
		return
	end
	held[#held + 1] = wrk
	items[#items + 1] = { 'work_item', time_key(w[6], wrk), wrk, w[2] or '', 'new', w[3] or '', '', w[5] or '',
		w[6] or '0' }
	items[#items + 1] = { 'work_item', time_key(w[7] or w[6], wrk .. '~'), wrk, w[2] or '', w[1],
		w[3] or '', w[4] or '', w[5] or '', w[7] or '0' }
end
for cnv in (only_events and '' or u[1] or ''):gmatch('%S+') do
	local c = call('HMGET', ws .. 'c:' .. cnv, 'ch', 'ut', 'w', 'lw', 'ct')
	count = count + 1
	if c[1] and count <= 50 then
		here[#here + 1] = cnv .. ' ' .. (c[5] or '0')
		conversation_add(cnv, c[1], time_key(tonumber(c[2] or 0) + 1000, '~'), tonumber(c[5] or 0) * PLACES)
		item_add(c[3])
		item_add(c[4])
	end
end
for wrk in (only_events and '' or u[2] or ''):gmatch('%S+') do
	item_add(wrk)
end
list_add(items)
if not no_notes then
	local notes, events = {}, {}
	for id in (cus .. ' ' .. merged):gmatch('%S+') do
		local all = only_events and {} or call('HGETALL', ws .. 'un:' .. id)
		for i = 1, #all, 2 do
			notes[#notes + 1] = { 'note', time_key(id_ms(all[i]), all[i]), all[i + 1] }
		end
		all = call('HGETALL', ws .. 'ue:' .. id)
		for i = 1, #all, 2 do
			local ms, json = all[i + 1]:match('^(%d+) (.*)$')
			events[#events + 1] = { 'event', time_key(ms, all[i]), json }
			held[#held + 1] = all[i]
		end
	end
	list_add(notes)
	list_add(events)
end

local hashes = {}
for _, field in ipairs(call('HKEYS', ws .. 'u:' .. cus)) do
	if field:sub(1, 2) == 'i:' then
		hashes[#hashes + 1] = field:sub(3)
	end
end
local answer = { 'ok', cus, '', { cus .. ' ' .. merged, table.concat(hashes, ' '), table.concat(here, ' '),
	table.concat(held, ' ') } }
while true do
	local best, key
	for _, source in ipairs(sources) do
		local head = source.head()
		if head and (not key or head > key) then
			best, key = source, head
		end
	end
	if not best then
		return answer
	end
	if #answer - 4 >= limit then
		-- What is not opened yet may hold nothing: an empty last page is no harm.
		answer[3] = answer[#answer][2]
		return answer
	end
	local entry = best.take()
	if entry then
		answer[#answer + 1] = entry
	end
end
