-- Versions of the set of rules. Put `--@use rules` on a line of its own after `--@use log`. It gives the script:
--
--   rules_changed(kinds)   second half, after objects were changed: where ' rules ' is among the kinds, the set of rules
--                          gets its next version (meta.rv), a copy of it is kept under rules:<n> (the last 50 are), and
--                          the text for an entry's e is returned: '{"rv":7}', else ''
local rules_clock = redis.call('TIME')

local function rules_changed(kinds)
	if not kinds:find(' rules ', 1, true) then
		return ''
	end
	local version = redis.call('HINCRBY', KEYS[1], 'rv', 1)
	redis.call('COPY', ws .. 'cfg:rules', ws .. 'rules:' .. version, 'REPLACE')
	redis.call('ZADD', ws .. 'rules', rules_clock[1] .. '000', version)
	redis.call('ZREMRANGEBYRANK', ws .. 'rules', 0, -51)
	redis.call('DEL', ws .. 'rules:' .. (version - 50))
	return '{"rv":' .. version .. '}'
end
