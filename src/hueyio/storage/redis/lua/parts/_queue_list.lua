-- What else a list of ids can do.
-- parts: _chunks _take_list _push_list

local FEW = 16

-- A list has no priorities.
local function note_priority() end

-- The first of the ids comes to stand first.
local function push_front(queue, ids)
  local reversed, count = {}, #ids
  for i = 1, count do reversed[i] = ids[count + 1 - i] end
  apply('LPUSH', queue, reversed)
end

local function peek_queue(queue, count)
  return redis.call('LRANGE', queue, 0, count - 1)
end

local function length(queue)
  return redis.call('LLEN', queue)
end

-- Take out ids that came late: each is searched from the back.
local function remove_late(queue, ids)
  for _, id in ipairs(ids) do redis.call('LREM', queue, -1, id) end
end

-- Take ids out of the middle: a few by search, many by one pass over all.
local function remove(queue, ids)
  if #ids <= FEW then
    for _, id in ipairs(ids) do redis.call('LREM', queue, 1, id) end
    return
  end
  local gone = {}
  for _, id in ipairs(ids) do gone[id] = true end
  local left = length(queue)
  while left > 0 do
    local part = take(queue, math.min(left, CHUNK))
    left = left - #part
    local kept = {}
    for _, id in ipairs(part) do
      if not gone[id] then kept[#kept + 1] = id end
    end
    push_back(queue, kept)
  end
end
