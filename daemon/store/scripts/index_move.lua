#!lua flags=allow-oom
-- index_move: fields of an index bucket that belong into another one go there (migration to format 4).
-- KEYS 1 meta, 2 i:<bucket> or r:<bucket>
-- The bucket of a field is its last two bytes, modulo 8192. Answers {'ok', moved}.
local call = redis.call
local before, kind = KEYS[2]:match('^(.*:)(%a):%x+$')
local all = call('HGETALL', KEYS[2])
local moved = 0
for i = 1, #all, 2 do
	local field = all[i]
	local key = before .. kind .. ':' .. ('%x'):format((field:byte(-2) * 256 + field:byte(-1)) % 8192)
	if #field == 16 and key ~= KEYS[2] then
		call('HSET', key, field, all[i + 1])
		call('HDEL', KEYS[2], field)
		moved = moved + 1
	end
end
return { 'ok', moved }
