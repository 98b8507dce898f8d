-- Begin a lease, or replace what its owner says of itself. ARGV: owner, info.
-- keys: OWNERS OWNERS_INFO OWNERS_ANSWERS OWNERS_SEEN
-- parts: _clock

redis.call('HSETNX', OWNERS, ARGV[1], 0)
redis.call('HSETNX', OWNERS_ANSWERS, ARGV[1], '0:')
redis.call('HSET', OWNERS_INFO, ARGV[1], ARGV[2])
redis.call('HSET', OWNERS_SEEN, ARGV[1], string.format('%.17g', now()))
