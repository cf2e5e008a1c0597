#!lua
-- A comment that names cjson.decode and KEYS.
--@use log
redis.call('SET', KEYS[1], 'x')
return { 'ok' }
