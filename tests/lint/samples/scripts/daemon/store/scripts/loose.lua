
#!lua flags=allow-cross-slot-keys
--@use none
local a = cjson.decode(ARGV[1])
redis.pcall('KEYS', '*')
redis.call('KEYS', '*')
return os.time()
