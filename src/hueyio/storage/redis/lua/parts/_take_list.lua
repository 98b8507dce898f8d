-- A ready queue as a list of ids.

local function take(queue, room)
  return redis.call('LPOP', queue, room) or {}
end
