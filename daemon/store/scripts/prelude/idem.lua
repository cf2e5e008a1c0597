-- Idempotency keys. Put `--@use idem` on a line of its own after `--@use log`. Two ARGV carry it: the key's hash (hex;
-- '' where the caller sent no key) and the request's hash. Forms:
--
--   local before = idem_seen(ARGV[1], ARGV[2])      first half, before any other check
--   if before then return before end                 {'replay', <the answer kept>...} or {'conflict'}
--   ...
--   return idem_keep(ARGV[1], ARGV[2], {'ok', id})   the very last writes; returns the answer it was given
--
-- An answer that is kept is flat: texts and whole numbers (numbers come back as texts). Refusals changed nothing and
-- are not kept. Keys live 24 h.
local function idem_key(key)
	return KEYS[1]:sub(1, -5) .. 'k:' .. key
end

local function idem_seen(key, request)
	if key == '' then
		return nil
	end
	local kept = redis.call('LRANGE', idem_key(key), 0, -1)
	if #kept == 0 then
		return nil
	end
	if kept[1] ~= request then
		return { 'conflict' }
	end
	kept[1] = 'replay'
	return kept
end

local function idem_keep(key, request, answer)
	if key ~= '' then
		redis.call('RPUSH', idem_key(key), request, unpack(answer))
		redis.call('EXPIRE', idem_key(key), 86400)
	end
	return answer
end
