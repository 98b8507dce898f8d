-- End a lease; nothing is counted. ARGV: owner.
-- keys: OWNERS OWNERS_INFO OWNERS_ANSWERS OWNERS_SEEN OWNERS_COUNTED HELD
-- parts: _held _permits

if redis.call('HDEL', OWNERS, ARGV[1]) == 1 then
  redis.call('HDEL', OWNERS_INFO, ARGV[1])
  redis.call('HDEL', OWNERS_ANSWERS, ARGV[1])
  redis.call('HDEL', OWNERS_SEEN, ARGV[1])
  redis.call('HDEL', OWNERS_COUNTED, ARGV[1])
  end_permits(ARGV[1])
  end_lease(HELD, ARGV[1], 0)
end
