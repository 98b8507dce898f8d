-- Values with a time to live: a hash, and beside it a sorted set of the deadlines of those that end.
-- Redis 7.0 has no time to live for the fields of a hash. What is over is dropped when it is read, and by `promote`.
-- parts: _clock _chunks

local function drop(values, deadlines, keys)
  apply('ZREM', deadlines, keys)
  return apply('HDEL', values, keys)
end

-- Whether the time of a key is over; then it is dropped.
local function is_over(values, deadlines, key)
  local deadline = redis.call('ZSCORE', deadlines, key)
  if not deadline or tonumber(deadline) > now() then return false end
  drop(values, deadlines, {key})
  return true
end

-- The value, or false.
local function live_value(values, deadlines, key)
  local value = redis.call('HGET', values, key)
  return value and not is_over(values, deadlines, key) and value
end

-- Write pairs of key and value; `ttl` in seconds, or nil for ever.
local function store(values, deadlines, items, ttl)
  apply('HSET', values, items)
  local list = {}
  if ttl then
    local deadline = string.format('%.17g', now() + ttl)
    for i = 1, #items, 2 do
      list[i], list[i + 1] = deadline, items[i]
    end
    apply('ZADD', deadlines, list)
  elseif redis.call('EXISTS', deadlines) == 1 then
    for i = 1, #items, 2 do list[#list + 1] = items[i] end
    apply('ZREM', deadlines, list)
  end
end
