#!lua
-- totp_delete: signing in asks for no code any more.
-- KEYS 1 meta, 2 totp:<agent>   Answers {'ok', whether there was one}.
return { 'ok', redis.call('DEL', KEYS[2]) }
