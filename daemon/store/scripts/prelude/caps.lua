-- How many messages one addressee may get. Put `--@use caps` on a line of its own after `--@use log`. It gives the script
--
--   cap_list(ch, hash, hour, day)   the caps that there are (texts; '' or 0: none), as {key, most, ms of its span}
--   cap_wait(caps, more)            first half: ms until one message more may leave while so many wait; nil: at once
local function cap_list(ch, hash, hour, day)
	local caps = {}
	for _, cap in ipairs({ { 'h', hour, 3600000 }, { 'd', day, 86400000 } }) do
		local most = tonumber(cap[2] or '') or 0
		if most > 0 then
			caps[#caps + 1] = { ws .. 'rate:to:' .. ch .. ':' .. hash .. ':' .. cap[1], most, cap[3] }
		end
	end
	return caps
end

local function cap_wait(caps, more)
	local wait
	for _, cap in ipairs(caps) do
		if tonumber(redis.call('GET', cap[1]) or 0) + more >= cap[2] then
			local left = redis.call('PTTL', cap[1])
			wait = math.max(wait or 0, left > 0 and left or cap[3])
		end
	end
	return wait and ('%.0f'):format(wait)
end
