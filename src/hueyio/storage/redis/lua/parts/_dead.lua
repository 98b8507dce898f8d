-- Letters. Dead letters: a hash of <length of reason> ":" <reason> <record>, beside it a sorted set of when, and a hash of
-- what a letter did not have at first: <letter of the kind> <name>. Failed tasks: a hash of
-- <letter of the kind> <length of name> ":" <name> <length of reason> ":" <reason> <record>, a sorted set of when, and how
-- many bytes the letters have. An id has one letter, in one of the two.
-- keys: DEAD DEAD_TIMES DEAD_DROPPED DEAD_KINDS FAILED FAILED_TIMES FAILED_SIZE TASKS EXPECTED
-- parts: _clock _chunks _latch_rows

local buried, is_dead_bounded, is_failed_bounded = 0, true, true

-- A microsecond apart, so that those of one batch keep their order.
local function burial_time()
  buried = buried + 1
  return string.format('%.17g', now() + buried / 1000000)
end

-- Drop the latches that were kept for the letters of callbacks.
local function drop_kept_latches(ids)
  if redis.call('EXISTS', LATCHES) == 0 then return end
  for _, id in ipairs(ids) do
    if redis.call('HEXISTS', TASKS, id) == 0 and redis.call('HEXISTS', EXPECTED, id) == 0 then drop_latch(id) end
  end
end

local function drop_dead(ids)
  apply('ZREM', DEAD_TIMES, ids)
  apply('HDEL', DEAD_KINDS, ids)
  return apply('HDEL', DEAD, ids)
end

local function drop_failed(ids)
  local size = 0
  for _, letter in ipairs(fetch('HMGET', FAILED, ids)) do size = size + #(letter or '') end
  if size > 0 then redis.call('INCRBY', FAILED_SIZE, -size) end
  apply('ZREM', FAILED_TIMES, ids)
  return apply('HDEL', FAILED, ids)
end

local function forget_failed(ids)
  drop_failed(ids)
  drop_kept_latches(ids)
end

-- `head`: the letter of the kind and the name with its length, as a failed task has them.
local function bury(id, head, reason, record)
  drop_failed({id})
  local colon = string.find(head, ':', 1, true)
  redis.call('HSET', DEAD, id, #reason .. ':' .. reason .. record)
  redis.call('HSET', DEAD_KINDS, id, string.sub(head, 1, 1) .. string.sub(head, colon + 1))
  redis.call('ZADD', DEAD_TIMES, burial_time(), id)
  is_dead_bounded = false
end

local function bury_failed(id, head, reason, record)
  drop_failed({id})
  drop_dead({id})
  local letter = head .. #reason .. ':' .. reason .. record
  redis.call('HSET', FAILED, id, letter)
  redis.call('INCRBY', FAILED_SIZE, #letter)
  redis.call('ZADD', FAILED_TIMES, burial_time(), id)
  is_failed_bounded = false
end

-- Drop the oldest beyond the bound; returns how many.
local function keep_bound(limit)
  local surplus = is_dead_bounded and 0 or redis.call('ZCARD', DEAD_TIMES) - limit
  if surplus <= 0 then return 0 end
  local oldest = redis.call('ZRANGE', DEAD_TIMES, 0, surplus - 1)
  drop_dead(oldest)
  drop_kept_latches(oldest)
  redis.call('INCRBY', DEAD_DROPPED, surplus)
  return surplus
end

-- Drop the oldest failed tasks beyond the bounds.
local function keep_failed_bounds(limit, most_bytes)
  if is_failed_bounded then return end
  local surplus = redis.call('ZCARD', FAILED_TIMES) - limit
  if surplus > 0 then forget_failed(redis.call('ZRANGE', FAILED_TIMES, 0, surplus - 1)) end
  while tonumber(redis.call('GET', FAILED_SIZE) or 0) > most_bytes do
    local oldest = redis.call('ZRANGE', FAILED_TIMES, 0, 0)
    if #oldest == 0 then return end
    forget_failed(oldest)
  end
end
