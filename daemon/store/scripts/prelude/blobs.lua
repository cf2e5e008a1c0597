-- Which blobs are the workspace's, and how many messages name each. Put `--@use blobs` on a line of its own. Blobs come
-- packed: 4 hex digits of bucket, 16 bytes of field each. Forms:
--
--   local uses, missing = blobs_count(ARGV[5], 1)    first half: named once more (-1: once less); missing is the place
--                                                    from 1 of the first that is not the workspace's, or nil
--   blobs_note(uses)                                 second half: writes it down; one that nobody names stays (an upload)
--   blobs_drop(uses, ids, now)                       second half: those that nobody names any more are not the workspace's
--                                                    from now on, and are to be destroyed (bx); ids: their ids, one after
--                                                    the other, in the order they were counted
local function blobs_count(packed, step)
	local uses, missing = {}, nil
	for at = 1, #packed, 20 do
		local one = packed:sub(at, at + 19)
		if not uses[one] then
			local n = redis.call('HGET', KEYS[1]:sub(1, -5) .. 'b:' .. one:sub(1, 4), one:sub(5))
			missing = missing or (not n and (at - 1) / 20 + 1 or nil)
			uses[one] = tonumber(n or 0)
			uses[#uses + 1] = one
		end
		uses[one] = uses[one] + step
	end
	return uses, missing
end

local function blobs_note(uses)
	for _, one in ipairs(uses) do
		redis.call('HSET', KEYS[1]:sub(1, -5) .. 'b:' .. one:sub(1, 4), one:sub(5), uses[one])
	end
end

local function blobs_drop(uses, ids, now)
	for place, one in ipairs(uses) do
		local key = KEYS[1]:sub(1, -5) .. 'b:' .. one:sub(1, 4)
		if uses[one] > 0 then
			redis.call('HSET', key, one:sub(5), uses[one])
		else
			redis.call('HDEL', key, one:sub(5))
			redis.call('ZADD', KEYS[1]:sub(1, -5) .. 'bx', now, ids:sub(place * 64 - 63, place * 64))
		end
	end
end
