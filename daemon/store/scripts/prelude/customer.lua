-- Customers, by an id that may be an old one. Put `--@use customer` on a line of its own after `--@use log`. It gives the script
--
--   customer_now(cus)   first half: who that is now, the version, and the ids of those merged into it (parted by spaces,
--                       '' none); nil where there is none
local function customer_now(cus)
	local u = redis.call('HMGET', ws .. 'u:' .. cus, 'to', 'v', 'mf')
	if u[1] and u[1] ~= '' then
		cus = u[1]
		u = redis.call('HMGET', ws .. 'u:' .. cus, 'to', 'v', 'mf')
	end
	if not u[2] then
		return nil
	end
	return cus, u[2], u[3] or ''
end
