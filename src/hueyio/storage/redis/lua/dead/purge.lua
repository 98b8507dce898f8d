-- Delete dead letters: the ids in ARGV, or all. Answers how many.
-- keys: DEAD DEAD_TIMES
-- parts: _chunks

if #ARGV == 0 then
  local count = redis.call('HLEN', DEAD)
  redis.call('UNLINK', DEAD, DEAD_TIMES)
  return count
end
apply('ZREM', DEAD_TIMES, ARGV)
return apply('HDEL', DEAD, ARGV)
