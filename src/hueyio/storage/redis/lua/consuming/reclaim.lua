-- Give an owner up if its heartbeat stands still. ARGV: owner, beat. Answers how much it held, or nil.
-- keys: OWNERS OWNERS_INFO OWNERS_ANSWERS OWNERS_SEEN OWNERS_COUNTED HELD
-- parts: _held _permits _kind

if is_other_kind() then return refuse_other_kind() end
if redis.call('HGET', OWNERS, ARGV[1]) ~= ARGV[2] then return false end
redis.call('HDEL', OWNERS, ARGV[1])
redis.call('HDEL', OWNERS_INFO, ARGV[1])
redis.call('HDEL', OWNERS_ANSWERS, ARGV[1])
redis.call('HDEL', OWNERS_SEEN, ARGV[1])
redis.call('HDEL', OWNERS_COUNTED, ARGV[1])
end_permits(ARGV[1])
return end_lease(HELD, ARGV[1], 1)
