#!lua flags=no-writes
-- import_read: who has the identifiers of somebody to be imported.
-- KEYS 1 meta   ARGV bucket and index field of each identifier; the one of the source's own id first, then those that
--      decide too, then (after an empty bucket, an empty field) those that do not
-- Answers {cus or '', name, tier, attributes JSON, tags JSON, version, sources JSON, owners...}: one owner ('' nobody) for each.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
local cus, decides, owners = '', true, {}
for i = 1, #ARGV, 2 do
	if ARGV[i] == '' then
		decides = false
	else
		local owner = call('HGET', ws .. 'i:' .. ARGV[i], ARGV[i + 1]) or ''
		owner = owner ~= '' and (call('HGET', ws .. 'u:' .. owner, 'to') or owner) or ''
		owners[#owners + 1] = owner
		if cus == '' and decides then
			cus = owner
		end
	end
end
local u = cus == '' and {} or call('HMGET', ws .. 'u:' .. cus, 'nm', 'tier', 'at', 'tg', 'v', 'as')
return { cus, u[1] or '', u[2] or '', u[3] or '', u[4] or '', u[5] or '0', u[6] or '', unpack(owners) }
