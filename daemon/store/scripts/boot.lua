#!lua flags=allow-oom
-- boot: the first words of an instance to a workspace: makes meta, or checks that it fits.
-- KEYS 1 meta   ARGV 1 format this build knows, 2 installation, 3 history, 4 blobs ('' is not compared, '!' in
--      front: taken in place of another one), 5 disconnect grace in ms ('' stays as it is)
-- Answers {'ok', format, gen, num}, {'old', format} (migrate, then boot again), or refused format / installation /
-- history / blobs with what is stored.
local names = { 'inst', 'hist', 'blob' }
local words = { 'installation', 'history', 'blobs' }
local m = redis.call('HMGET', KEYS[1], 'format', 'gen', 'num', 'inst', 'hist', 'blob')
if m[1] and tonumber(m[1]) > tonumber(ARGV[1]) then
	return { 'refused', 'format', m[1] }
end
local fresh = {}
for i = 1, 3 do
	local stored, mine = m[i + 3], ARGV[i + 1]
	if mine:sub(1, 1) == '!' then
		mine = mine:sub(2)
		stored = stored == mine and stored
	end
	if stored and mine ~= '' and stored ~= mine then
		return { 'refused', words[i], stored }
	end
	if not stored and mine ~= '' then
		fresh[#fresh + 1] = names[i]
		fresh[#fresh + 1] = mine
	end
end
if m[1] and tonumber(m[1]) < tonumber(ARGV[1]) then
	return { 'old', m[1] }
end
if not m[1] then
	for _, word in ipairs({ 'format', ARGV[1], 'gen', '1', 'num', '0', 'bell', '0' }) do
		fresh[#fresh + 1] = word
	end
end
if (ARGV[5] or '') ~= '' then
	fresh[#fresh + 1], fresh[#fresh + 2] = 'grace', ARGV[5]
end
if #fresh > 0 then
	redis.call('HSET', KEYS[1], unpack(fresh))
end
return { 'ok', m[1] or ARGV[1], m[2] or '1', m[3] or '0' }
