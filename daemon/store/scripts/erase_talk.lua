#!lua flags=allow-oom
-- erase_talk: a conversation whose messages were all looked through goes, with its work.
-- KEYS 1 meta, 2 lease:steward, 3 j:<job>, 4 c:<cnv>, 5 m:<cnv>   ARGV 1 fence, 2 job, 3 cnv, 4 how many messages were looked through
-- Refused fence; more (messages that came since, from index); open (its item must end first). Answers {'ok'}.
local ws = KEYS[1]:sub(1, -5)
local call = redis.call
if (call('GET', KEYS[2]) or ''):match('^%S+') ~= ARGV[1] then
	return { 'refused', 'fence' }
end
local cnv = ARGV[3]
if call('LLEN', KEYS[5]) > tonumber(ARGV[4]) then
	return { 'refused', 'more' }
end
local c = call('HMGET', KEYS[4], 'w', 'lw')
local items, handed = {}, {}
for i = 1, 2 do
	local wrk = c[i]
	if wrk and wrk ~= '' then
		local w = call('HMGET', ws .. 'w:' .. wrk, 's', 'tc', 'tr', 'cp', 'tm', 'co')
		if w[1] and w[1] ~= 'closed' and w[1] ~= 'cancelled' then
			return { 'refused', 'open', wrk, w[1] }
		end
		items[#items + 1] = { wrk, w[5] }
		for k = 2, 4 do
			for trf in (w[k] or ''):gmatch('trf_%w+') do
				handed[#handed + 1] = trf
			end
		end
	end
end

for _, trf in ipairs(handed) do
	call('UNLINK', ws .. 't:' .. trf)
end
for _, item in ipairs(items) do
	call('UNLINK', ws .. 'w:' .. item[1])
	for _, set in ipairs({ 'wx', 'wz', 'rest', 'sla' }) do
		call('ZREM', ws .. set, item[1])
	end
	if item[2] and item[2] ~= '' then
		call('ZREM', ws .. 'timers', item[2])
	end
end
for _, kind in ipairs({ 'm:', 'y:', 'oq:', 'otp:', 'otpn:', 'trn:', 'mvs:', 'dr:' }) do
	call('UNLINK', ws .. kind .. cnv)
end
call('ZREM', ws .. 'od', cnv)
call('ZREM', ws .. 'rest', cnv)
call('UNLINK', KEYS[4])
call('HINCRBY', KEYS[3], 'talks', 1)
return { 'ok' }
