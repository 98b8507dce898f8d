-- Begin a lease, or replace what its owner says of itself. ARGV: owner, info.
-- keys: OWNERS OWNERS_INFO OWNERS_ANSWERS

redis.call('HSETNX', OWNERS, ARGV[1], 0)
redis.call('HSETNX', OWNERS_ANSWERS, ARGV[1], '0:')
redis.call('HSET', OWNERS_INFO, ARGV[1], ARGV[2])
