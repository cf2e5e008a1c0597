#!lua
-- A comment.
local call = redis.call
local function early()
	call('DEL', KEYS[1])
end
if call('GET', KEYS[1]) == 'x' then
	if call('GET', KEYS[1]) == 'y' then
		call('DEL', KEYS[1])
	end
	return { 'early' }
end
local read = call('GET', KEYS[1])
if read then
	call('SET', KEYS[1], 'a')
end
return call('GET', KEYS[1])
