#!lua flags=no-writes
-- Reads the configuration that routing needs in one instant.
-- KEYS: meta, cfg:queues, cfg:agents, cfg:rules
return {
  redis.call('HGETALL', KEYS[2]),
  redis.call('HGETALL', KEYS[3]),
  redis.call('HGETALL', KEYS[4]),
}
