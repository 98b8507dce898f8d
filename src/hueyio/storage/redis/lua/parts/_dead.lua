-- Dead letters: a hash of <length of reason> ":" <reason> <record>, and beside it a sorted set of when.
-- keys: DEAD DEAD_TIMES DEAD_DROPPED
-- parts: _clock _chunks

local buried = 0

local function bury(id, reason, record)
  redis.call('HSET', DEAD, id, #reason .. ':' .. reason .. record)
  -- A microsecond apart, so that those of one batch keep their order.
  redis.call('ZADD', DEAD_TIMES, now() + buried / 1000000, id)
  buried = buried + 1
end

-- Drop the oldest beyond the bound; returns how many.
local function keep_bound(limit)
  local surplus = redis.call('ZCARD', DEAD_TIMES) - limit
  if surplus <= 0 then return 0 end
  local oldest = redis.call('ZRANGE', DEAD_TIMES, 0, surplus - 1)
  apply('ZREM', DEAD_TIMES, oldest)
  apply('HDEL', DEAD, oldest)
  redis.call('INCRBY', DEAD_DROPPED, surplus)
  return surplus
end
