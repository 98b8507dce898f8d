-- The first of a sorted set, and the first of its lowest priority, which is its highest score.

local function heads(queue)
  local ids = redis.call('ZRANGE', queue, 0, 0)
  local last = redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')
  if last[2] then ids[2] = redis.call('ZRANGEBYSCORE', queue, last[2], last[2], 'LIMIT', 0, 1)[1] end
  for i = 1, #ids do ids[i] = string.sub(ids[i], 8) end
  return ids
end
