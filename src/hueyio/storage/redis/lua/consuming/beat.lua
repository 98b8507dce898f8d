-- Raise an owner's counter, if it still has a lease. ARGV: owner.
-- keys: OWNERS OWNERS_SEEN
-- parts: _clock

if redis.call('HEXISTS', OWNERS, ARGV[1]) == 0 then return 0 end
redis.call('HINCRBY', OWNERS, ARGV[1], 1)
redis.call('HSET', OWNERS_SEEN, ARGV[1], string.format('%.17g', now()))
return 1
