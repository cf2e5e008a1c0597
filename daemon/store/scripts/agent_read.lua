#!lua flags=no-writes
-- Reads what the router keeps of one agent: runtime and open wish, in one instant.
-- KEYS: meta, a:<agent>, wish:<agent>, aw:<agent>   ARGV 1 '1': also the channels of what it attends to
-- Answers status, routable, load, idle since, pending offer, then key, queues and time of the open wish ('' none), the channels,
-- one for each item that is with the agent and does not wait, parted by spaces, and the channels that the wish wants.
local a = redis.call('HMGET', KEYS[2], 'st', 'rt', 'ld', 'id', 'o')
local wish = redis.call('HMGET', KEYS[3], 'key', 'qs', 'ct', 'w', 'end', 'chs')
local open = wish[1] and not wish[4] and not wish[5]
local channels = {}
for _, wrk in ipairs(ARGV[1] == '1' and redis.call('SMEMBERS', KEYS[4]) or {}) do
  local w = redis.call('HMGET', KEYS[1]:sub(1, -5) .. 'w:' .. wrk, 's', 'ch')
  if w[1] and w[1] ~= 'waiting' and w[2] and w[2] ~= '' then
    channels[#channels + 1] = w[2]
  end
end
return {
  a[1] or '', a[2] or '', a[3] or '0', a[4] or '0', a[5] or '',
  open and wish[1] or '', open and wish[2] or '', open and wish[3] or '0',
  table.concat(channels, ' '), open and wish[6] or '',
}
