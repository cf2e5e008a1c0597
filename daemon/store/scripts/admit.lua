#!lua
-- admit: one inbound message, from "is it new?" to "it waits in a queue", in one step.
--
-- KEYS 1 meta, 2 d: current generation, 3 d: previous one, 4 c:<cnv>, 5 m:<cnv>, 6 r: bucket of the
--      reference (absent where there is none)
-- ARGV 1 remembered number, 2 seconds to keep the generation (0: already set), 3 cnv, 4 msg, 5 message JSON,
--      6 channel, 7 digest of the sender and the other identifiers, 8 provider id,
--      9 what only a new conversation, item or customer needs, each ended by a NUL: wrk and cus to use where one must
--        be made, sender's index hash (hex), address to answer, shown name, thread, subject, queue (empty: opens no
--        work item), type, topic, urgency, priority, skills, rule, rules that gave the rest, rules' version, text bits
--      10 the identifiers, the sender's first: 16 bytes of index field, then each ended by a NUL: index bucket
--         (empty: the index is neither asked nor written), name in the customer's hash, record JSON
--      11, 12 reference field ('' none) and its value, 13 '1' where attachments are to be fetched from the provider
--      14 blobs of the message, 4 hex digits of bucket and 16 bytes of field each
--      15 beside each of the identifiers: proof (0-2), bucket of the place it would have were it proved, ended by a NUL
--         (empty where it is), the 16 bytes of that place's field (absent where the sender's is proved and the only one)
--      16 what answers need, each ended by a NUL: ms of the reply window that it opens ('' none), how many we may send in
--         it ('' any number), context for the next answer ('' keeps the older). Absent where all three are empty
--      17 '1': an event of a call: it moves no work item, and opens one only where its conversation never had any and the
--         call is not over and answered (call.lua does the rest)
--      18 of a message that is nothing but a word about consent (HELP, STOP, START), each ended by a NUL: help, out or in, the
--         sender's index hash (hex) as of one who is proved, field and JSON of the consent. No work item hears of it; an `in` of
--         somebody who had not opted out is a message like any other
-- Answers {'ok', msg, cnv, cus, wrk, n, flags, other, record ...} (each other is a customer who had proved what the person
-- proves here: the caller merges them; flags: u new customer, c opened the conversation, w new work item,
-- r reopened, b back from waiting or wrap-up, l identifiers left out, o opted out, i took that back) or {'duplicate', msg}.
--
-- What a known conversation needs is passed apart from the rest, which is not even unpacked then: this script is the
-- program's throughput. Proved identifiers that point at different customers: the first hit (the sender's own) wins
-- and the others keep their owner, who is suggested as the same person; so is who proved what is only claimed here. A
-- customer has at most 64 identifiers: what more a message shows is left out (entry e `left`: how many), the message is not;
-- where it is the sender's own, a further customer is made, who is suggested as the same person. A shared identifier ("sh" at the end of its record) suggests nobody. What a person proves anew gets the newer record.
--@use log
--@use suggest
--@use blobs
local call = redis.call
local PERSON_MAX = 64

if call('SISMEMBER', KEYS[2], ARGV[1]) == 1 or call('SISMEMBER', KEYS[3], ARGV[1]) == 1 then
	return { 'duplicate', ARGV[4] }
end
local clock = call('TIME')
local now = clock[1] * 1000 + (clock[2] - clock[2] % 1000) / 1000
local c = call('HMGET', KEYS[4], 'u', 'w', 's', 'ih', 'wd', 'ik')
local cus, wrk, flags = c[1], c[2], ''
local w
if wrk and wrk ~= '' then
	w = call('HMGET', ws .. 'w:' .. wrk, 's', 'v', 'q', 'a')
	if not w[1] or w[1] == 'closed' or w[1] == 'cancelled' then
		w = nil
	end
end

-- Who is it? A conversation knows; a new one, or new facts about its own sender, ask the index. Merging and splitting tell only
-- the newest conversations of a customer, so an older one learns here whose it is now.
local new, fresh, name, convs, missing, rivals, better, is_other, erased
local left = 0
if cus and (c[4] or ''):sub(1, 12) == ARGV[7]:sub(1, 12) then
	local field, bucket = struct.unpack('c16s', ARGV[10])
	local owner = bucket ~= '' and call('HGET', ws .. 'i:' .. bucket, field)
	if owner and owner ~= cus then
		cus, is_other = owner, true
	end
end
local blobs = (ARGV[14] or '') ~= '' and blobs_count(ARGV[14], 1)
local window, context
if ARGV[16] and ARGV[16] ~= '' then
	local ms, count
	ms, count, context = struct.unpack('sss', ARGV[16])
	-- A narrower one (a menu was pressed) does not close the one that is open.
	local till, left = (c[5] or ''):match('^(%d+) (%d*)$')
	if ms ~= '' and not (till and left ~= '0' and tonumber(till) >= now + ms) then
		window = ('%.0f %s'):format(now + ms, count)
	end
end
local of_call = ARGV[17] == '1'
local word, proved, field, consent = '', '', '', ''
if ARGV[18] then
	word, proved, field, consent = struct.unpack('ssss', ARGV[18])
end
local opt = ws .. 'opt:' .. ARGV[6]
local is_out = word ~= '' and (call('HGET', opt, proved) or (c[6] and call('HGET', opt, c[6])))
word = word == 'in' and not is_out and '' or word
local changes = word == 'in' or (word == 'out' and not is_out)
local is_quiet = of_call or word ~= ''
local opens = not w and word == ''
if of_call and opens then
	local before = call('HMGET', KEYS[4], 'lw', 'tl')
	opens = (wrk or '') == '' and (before[1] or '') == '' and not (before[2] or ''):find('^1 1')
end
if not cus or not w then
	new = { struct.unpack('sssssssssssssssss', ARGV[9]) }
end
if not cus or (c[4] ~= ARGV[7] and (c[4] or ''):sub(1, 12) == ARGV[7]:sub(1, 12)) then
	new = new or { struct.unpack('sssssssssssssssss', ARGV[9]) }
	missing, rivals, better = {}, {}, {}
	local found
	local claims = {}
	local at, beside = 1, 1
	while at <= #ARGV[10] do
		local field, bucket, label, record, proof, other, place
		field, bucket, label, record, at = struct.unpack('c16sss', ARGV[10], at)
		if ARGV[15] and ARGV[15] ~= '' then
			proof, other, place, beside = struct.unpack('c1sc16', ARGV[15], beside)
		end
		local owner = bucket ~= '' and call('HGET', ws .. 'i:' .. bucket, field)
		if not owner then
			missing[#missing + 1] = { field, bucket, label, record }
		else
			found = found or owner
			claims[#claims + 1] = { owner, proof == '2' and 100 or 80, record, label }
		end
		owner = other and other ~= '' and call('HGET', ws .. 'i:' .. other, place)
		if owner then
			claims[#claims + 1] = { owner, 50, record, 'i:' .. place:gsub('.', function(byte)
				return string.format('%02x', byte:byte())
			end) }
		end
	end
	cus = cus or found or new[2]
	local u = call('HMGET', ws .. 'u:' .. cus, 'to', 'ct', 'cv', 'nm')
	if u[1] then
		cus = u[1]
		u = call('HMGET', ws .. 'u:' .. cus, 'to', 'ct', 'cv', 'nm')
	end
	if call('HLEN', ws .. 'u:' .. cus) + #missing > PERSON_MAX then
		local room, has, fits = PERSON_MAX, {}, {}
		for _, label in ipairs(call('HKEYS', ws .. 'u:' .. cus)) do
			has[label] = true
			room = label:sub(1, 2) == 'i:' and room - 1 or room
		end
		for _, one in ipairs(missing) do
			if has[one[3]] or room > 0 then
				fits[#fits + 1] = one
				room = has[one[3]] and room or room - 1
			end
		end
		if not c[1] and missing[1] and fits[1] ~= missing[1] and missing[1][3] == 'i:' .. new[3] then
			cus, u = new[2], {}
		else
			left, missing = #missing - #fits, fits
		end
	end
	fresh, convs, name = not u[2], u[3], u[4]
	if fresh and missing[1] and missing[1][2] ~= '' then
		erased = call('HGET', ws .. 'tomb:' .. missing[1][2], missing[1][1])
	end
	for _, claim in ipairs(claims) do
		local rival = claim[1]
		local r = call('HMGET', ws .. 'u:' .. rival, 'nm', 'to', claim[4])
		local shared = (r[3] or ''):sub(-6) == ',"sh"]'
		rival = r[2] or rival
		local score = claim[2]
		local mine = name and name ~= '' and name or new[5]
		if score == 50 and mine ~= '' and mine == r[1] then
			score = 70
		end
		if rival == cus and score == 100 and not shared then
			better[#better + 1] = claim
		elseif rival ~= cus and not shared and (not rivals[rival] or rivals[rival][3] < score) then
			local here, there = suggestion_room(cus, rival, score), suggestion_room(rival, cus, score)
			rivals[rival] = here and there and { here, there, score, claim[3] } or nil
		end
	end
end

local state, to = w and not is_quiet and w[1] or nil
local agent = w and w[4] and w[4] ~= '' and w[4] or nil
local more, grace -- wf, tm, cost, wc
if state == 'resolved' then
	to = 'queued'
	more = call('HMGET', ws .. 'w:' .. wrk, 'wf', 'tm', 'cost', 'wc')
elseif state == 'wrapping' or state == 'waiting' then
	grace = call('HGET', KEYS[1], 'grace')
	more = call('HMGET', ws .. 'w:' .. wrk, 'wf', 'tm', 'cost', 'wc')
	if state == 'wrapping' or more[1] == 'customer' or more[1] == 'until' then
		to = agent and call('HGET', ws .. 'a:' .. agent, 'st') ~= 'offline' and 'assigned' or 'queued'
	end
end

-- From here on only writes.
if missing then
	local key = ws .. 'u:' .. cus
	if fresh then
		flags = 'u'
		call('HSET', key, 'nm', new[5], 'ct', now, 'v', 1)
		if erased then
			call('HSET', key, 'eb', erased)
		end
	elseif name == '' and new[5] ~= '' then
		call('HSET', key, 'nm', new[5])
	end
	for _, one in ipairs(missing) do
		if one[2] ~= '' then
			call('HSET', ws .. 'i:' .. one[2], one[1], cus)
		end
		call('HSETNX', key, one[3], one[4])
	end
	for _, claim in ipairs(better) do
		call('HSET', key, claim[4], claim[3])
	end
	for rival, one in pairs(rivals) do
		local evidence = '{"channel":"' .. ARGV[6] .. '","identifier":' .. one[4] .. '}'
		suggestion_put(cus, rival, one[1], one[3], evidence, now)
		suggestion_put(rival, cus, one[2], one[3], evidence, now)
	end
	if not c[1] then
		call('HSET', key, 'cv', convs and (ARGV[3] .. ' ' .. convs):sub(1, 1549) or ARGV[3])
	end
end

local n = call('RPUSH', KEYS[5], ARGV[5]) - 1
if is_other then
	call('HSET', KEYS[4], 'u', cus)
	if w then
		call('HSET', ws .. 'w:' .. wrk, 'u', cus)
	end
end
if not c[1] then
	flags = flags .. 'c'
	call('HSET', KEYS[4], 'u', cus, 'w', '', 's', 'open', 'ih', ARGV[7], 'n', n + 1, 'ut', now, 'li', ARGV[8], 'lt',
		now, 'ch', ARGV[6], 'ik', new[3], 'ad', new[4], 'nm', new[5], 'ct', now, 'v', 1)
	if new[6] ~= '' then
		call('HSET', KEYS[4], 'th', new[6])
	end
	if new[7] ~= '' then
		call('HSET', KEYS[4], 'sub', new[7])
	end
elseif missing or (c[3] ~= 'open' and not of_call) then
	flags = flags .. ((c[3] == 'open' or of_call) and '' or 'c')
	call('HSET', KEYS[4], 's', of_call and c[3] or 'open', 'ih', missing and ARGV[7] or c[4], 'n', n + 1, 'ut', now, 'li', ARGV[8], 'lt', now)
else
	call('HSET', KEYS[4], 'n', n + 1, 'ut', now, 'li', ARGV[8], 'lt', now)
end

if window then
	call('HSET', KEYS[4], 'wd', window)
end
if context and context ~= '' then
	call('HSET', KEYS[4], 'rc', context)
end

if changes then
	flags = flags .. (word == 'out' and 'o' or 'i')
	for _, hash in ipairs({ proved, c[6] or proved }) do
		if word == 'out' then
			call('HSET', opt, hash, now)
		else
			call('HDEL', opt, hash)
		end
	end
	call('HSET', ws .. 'u:' .. cus, field, consent)
	append('t', 'customer.updated', 'u', cus, 'v', call('HINCRBY', ws .. 'u:' .. cus, 'v', 1))
end
local from, version, queue = '', w and w[2] or '', w and w[3] or ''
if opens and new[8] ~= '' then
	from, to, version, queue, wrk = 'new', 'queued', 1, new[8], new[1]
	flags = flags .. 'w'
	local f = { 's', to, 'v', 1, 'q', queue, 'a', '', 'num', call('HINCRBY', KEYS[1], 'num', 1), 'c', ARGV[3], 'u', cus,
		'ch', ARGV[6], 'ct', now, 'st', now, 'qt', now }
	for i, field in ipairs({ 'ty', 'tp', 'ur', 'pr', 'sk', 'ru', 'rg', 'rv', 'rb' }) do
		if new[8 + i] ~= '' then
			f[#f + 1], f[#f + 2] = field, new[8 + i]
		end
	end
	call('HSET', ws .. 'w:' .. wrk, unpack(f))
	call('ZADD', ws .. 'wx', now, wrk)
	call('ZADD', ws .. 'q:' .. queue, now, wrk)
	call('HSET', KEYS[4], 'w', wrk)
elseif not w and flags:find('c', 1, true) then
	-- Nobody works on it: from now on it is at rest.
	call('ZADD', ws .. 'rest', now, ARGV[3])
elseif to then
	from, version = state, version + 1
	local key = ws .. 'w:' .. wrk
	if more[2] then
		call('ZREM', ws .. 'timers', more[2])
	end
	call('HDEL', key, 'tm', 'wf', 'lx')
	if to == 'assigned' then
		flags = flags .. 'b'
		call('HSET', key, 's', to, 'v', version, 'st', now)
		call('ZADD', ws .. 'timers', 'NX', now + tonumber(grace or 180000), 'gone:' .. agent)
		if state == 'waiting' then
			call('HINCRBY', ws .. 'a:' .. agent, 'ld', (more[3] or 0) - (more[4] or 0))
		end
	else
		flags = flags .. 'r'
		call('HSET', key, 's', to, 'v', version, 'a', '', 'st', now, 'qt', now)
		call('ZADD', ws .. 'q:' .. queue, now, wrk)
		if agent then
			call('HSET', key, 'la', agent)
			call('SREM', ws .. 'aw:' .. agent, wrk)
			if state ~= 'resolved' then
				call('HINCRBY', ws .. 'a:' .. agent, 'ld', 0 - (state == 'wrapping' and more[3] or more[4] or 0))
			end
		end
		agent = nil
	end
end
flags = left > 0 and flags .. 'l' or flags
if flags == '' and not of_call then
	append('t', 'message.created', 'c', ARGV[3], 'u', cus, 'm', ARGV[4], 'n', n, 'ch', ARGV[6], 'w', wrk or '', 'v',
		version, 'a', agent or '', 'q', queue)
else
	local e = (left > 0 and ',"left":' .. left or '') .. (flags:find('u', 1, true) and ',"nu":1' or '') .. (flags:find('c', 1, true) and ',"nc":1' or '') ..
		(flags:find('w', 1, true) and ',"nw":1' or '') .. (of_call and ',"tel":1' or '') .. (changes and ',"opt":"' .. word .. '"' or '')
	append('t', 'message.created', 'c', ARGV[3], 'u', cus, 'm', ARGV[4], 'n', n, 'ch', ARGV[6], 'w', wrk or '', 'v',
		version, 'a', agent or '', 'q', queue, 'f', from, 'o', to or '', 'e', e ~= '' and '{' .. e:sub(2) .. '}' or '')
end
if ARGV[11] and ARGV[11] ~= '' then
	-- The first one of an id keeps it: a stranger can choose the id of his mail.
	call('HSETNX', KEYS[6], ARGV[11], ARGV[12] .. ' ' .. n)
end
if ARGV[13] == '1' then
	call('ZADD', ws .. 'md', now, ARGV[3] .. ' ' .. ARGV[4] .. ' ' .. n)
end
if blobs then
	blobs_note(blobs)
end
call('SADD', KEYS[2], ARGV[1])
if ARGV[2] ~= '0' then
	call('EXPIRE', KEYS[2], ARGV[2])
end
local answer = { 'ok', ARGV[4], ARGV[3], cus, wrk or '', n, flags }
for rival, one in pairs(rivals or {}) do
	if one[3] == 100 then
		answer[#answer + 1] = rival
		answer[#answer + 1] = one[4]
	end
end
return answer
