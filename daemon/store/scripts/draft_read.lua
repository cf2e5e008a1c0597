#!lua flags=no-writes
-- draft_read: what an agent has written in a conversation and not sent.
-- KEYS 1 meta, 2 c:<cnv>, 3 dr:<cnv>   ARGV 1 agent
-- Answers {'ok', JSON or nil}; refused not_found (a conversation that left the store too).
if redis.call('EXISTS', KEYS[2]) == 0 then
	return { 'refused', 'not_found' }
end
return { 'ok', redis.call('HGET', KEYS[3], ARGV[1]) }
