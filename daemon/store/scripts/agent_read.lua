#!lua flags=no-writes
-- Reads what the router keeps of one agent: runtime and open wish, in one instant.
-- KEYS: meta, a:<agent>, wish:<agent>
-- Answers status, routable, load, idle since, pending offer, then key, queues and time of the open wish ('' none).
local a = redis.call('HMGET', KEYS[2], 'st', 'rt', 'ld', 'id', 'o')
local wish = redis.call('HMGET', KEYS[3], 'key', 'qs', 'ct', 'w', 'end')
local open = wish[1] and not wish[4] and not wish[5]
return {
  a[1] or '', a[2] or '', a[3] or '0', a[4] or '0', a[5] or '',
  open and wish[1] or '', open and wish[2] or '', open and wish[3] or '0',
}
