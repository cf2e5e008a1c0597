-- What has come to rest. Put `--@use rest` on a line of its own after `--@use log`. It gives the script `call`, `now` (ms,
-- the store's clock) and
--
--   fenced(fence)              first half: that instance is the steward
--   conversation_seen(cnv)     first half: digest of all that can change of it, its hash as a table, ms of its last
--                              change; nil where there is none. Messages are immutable: their number is enough
--   item_seen(wrk)             the same of a work item
--   history_passed(last)       first half: the history's reader has passed every entry up to that time
local call = redis.call
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000

local function fenced(fence)
	local held = call('GET', ws .. 'lease:steward')
	return held and (held == fence or held:sub(1, #fence + 1) == fence .. ' ')
end

local function hash_seen(key)
	local flat, hash = call('HGETALL', key), {}
	for i = 1, #flat, 2 do
		hash[flat[i]] = flat[i + 1]
	end
	return flat[1] and table.concat(flat, '\0'), hash
end

local function conversation_seen(cnv)
	local text, c = hash_seen(ws .. 'c:' .. cnv)
	if not text then
		return nil
	end
	local changed = call('HGET', ws .. 'y:' .. cnv, '.t') or '0'
	local digest = redis.sha1hex(text .. '\0' .. call('LLEN', ws .. 'm:' .. cnv) .. ' ' ..
		call('HLEN', ws .. 'y:' .. cnv) .. ' ' .. changed)
	return digest, c, math.max(tonumber(c.ut or 0), tonumber(changed))
end

local function item_seen(wrk)
	local text, w = hash_seen(ws .. 'w:' .. wrk)
	if not text then
		return nil
	end
	return redis.sha1hex(text), w, tonumber(w.st or 0)
end

local function history_passed(last)
	local gen, ms, seq = (call('GET', ws .. 'cur:history') or ''):match('^(%d+)-(%d+)-(%d+)$')
	if not gen or gen ~= (call('HGET', KEYS[1], 'gen') or '1') then
		return false
	end
	return tonumber(ms) > last or not call('XRANGE', ws .. 'log', '(' .. ms .. '-' .. seq, '+', 'COUNT', 1)[1]
end
