-- Raise an owner's counter, if it still has a lease. ARGV: owner.
-- keys: OWNERS

if redis.call('HEXISTS', OWNERS, ARGV[1]) == 0 then return 0 end
redis.call('HINCRBY', OWNERS, ARGV[1], 1)
return 1
