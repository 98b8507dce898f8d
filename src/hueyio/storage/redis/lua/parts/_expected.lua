-- Ids that will follow. A row of `expected` names the live tasks that expect the id: (<length> ":" <id of the namer>)*.
-- An id stays expected until it becomes a task, or until the last of its namers is over.
-- keys: TASKS EXPECTED

-- A row without one namer, and whether it was there.
local function without(row, namer)
  local kept, at, found = {}, 1, false
  while at <= #row do
    local colon = string.find(row, ':', at, true)
    local stop = colon + tonumber(string.sub(row, at, colon - 1))
    if string.sub(row, colon + 1, stop) == namer then
      found = true
    else
      kept[#kept + 1] = string.sub(row, at, stop)
    end
    at = stop + 1
  end
  return table.concat(kept), found
end

local function expect(id, namer)
  if redis.call('HEXISTS', TASKS, id) == 1 then return end
  local row = redis.call('HGET', EXPECTED, id) or ''
  local _, found = without(row, namer)
  if not found then redis.call('HSET', EXPECTED, id, row .. #namer .. ':' .. namer) end
end

-- Take a namer back; true if nobody expects the id any more.
local function no_longer_expect(id, namer)
  local row = redis.call('HGET', EXPECTED, id)
  if not row then return false end
  local rest, found = without(row, namer)
  if not found then return false end
  if rest == '' then
    redis.call('HDEL', EXPECTED, id)
    return true
  end
  redis.call('HSET', EXPECTED, id, rest)
  return false
end
