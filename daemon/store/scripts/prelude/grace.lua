-- How long nothing may be heard of an agent who has work. Put `--@use grace` on a line of its own before `--@use work`.
-- It gives the script `grace`, meta.grace in ms.
local grace = tonumber(redis.call('HGET', KEYS[1], 'grace') or 180000)
