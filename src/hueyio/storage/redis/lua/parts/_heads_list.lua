-- The first of a list, which has no priorities.

local function heads(queue)
  return redis.call('LRANGE', queue, 0, 0)
end
