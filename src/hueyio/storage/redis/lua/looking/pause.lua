-- Let claims return nothing. ARGV: channel of the notices.
-- keys: PAUSED

redis.call('SET', PAUSED, 1)
redis.pcall('PUBLISH', ARGV[1], '')
