-- Delete dead letters: the ids in ARGV, or all. Answers how many.
-- keys: LATCHES
-- parts: _dead

if #ARGV == 0 then
  local count = redis.call('HLEN', DEAD)
  local ids = redis.call('EXISTS', LATCHES) == 1 and redis.call('HKEYS', DEAD) or {}
  redis.call('UNLINK', DEAD, DEAD_TIMES, DEAD_KINDS)
  drop_kept_latches(ids)
  return count
end
local count = drop_dead(ARGV)
drop_kept_latches(ARGV)
return count
