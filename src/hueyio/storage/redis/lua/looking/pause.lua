-- Let claims return nothing. ARGV: channel of the notices, who wants it.
-- keys: PAUSED
-- parts: _clock

redis.call('SET', PAUSED, string.format('%.6f ', now()) .. ARGV[2])
redis.pcall('PUBLISH', ARGV[1], '')
