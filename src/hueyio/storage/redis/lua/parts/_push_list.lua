-- The back of a list.

local function push_back(queue, ids)
  for from = 1, #ids, 1000 do
    redis.call('RPUSH', queue, unpack(ids, from, math.min(from + 999, #ids)))
  end
end
