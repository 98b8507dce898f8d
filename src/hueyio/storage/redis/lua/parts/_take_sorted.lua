-- A ready queue as a sorted set: the score is the priority, negative, so that the highest comes first; a member is the number
-- within its priority (7 bytes, see `_push_sorted`) and the id.

local function take(queue, room)
  local popped, ids = redis.call('ZPOPMIN', queue, room), {}
  for i = 1, #popped, 2 do ids[#ids + 1] = string.sub(popped[i], 8) end
  return ids
end
