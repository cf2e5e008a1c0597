local function append(...)
	return redis.call('XADD', KEYS[1], '*', ...)
end
