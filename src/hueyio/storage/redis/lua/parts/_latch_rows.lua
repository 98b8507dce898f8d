-- Latches as they are kept. `latches`: id of the callback -> <size> ":" <length> ":" <absent> <record of the callback>.
-- `latch:counts`: id -> how many positions have a result. `reports`: id ":" position -> the member result, and
-- id ":" position ":id" -> the id of the member that left it.
-- keys: LATCHES LATCH_COUNTS REPORTS
-- parts: _chunks

local function read_latch(key)
  local row = redis.call('HGET', LATCHES, key)
  if not row then return nil end
  local first = string.find(row, ':', 1, true)
  local second = string.find(row, ':', first + 1, true)
  local stop = second + tonumber(string.sub(row, first + 1, second - 1))
  return {
    size = tonumber(string.sub(row, 1, first - 1)),
    absent = string.sub(row, second + 1, stop),
    record = string.sub(row, stop + 1),
  }
end

local function positions(key, size, suffix)
  local fields = {}
  for i = 1, size do fields[i] = key .. ':' .. (i - 1) .. (suffix or '') end
  return fields
end

-- The ids of the members that have left a result.
local function members_of(key)
  local latch, members = read_latch(key), {}
  for _, id in ipairs(latch and fetch('HMGET', REPORTS, positions(key, latch.size, ':id')) or {}) do
    if id then members[#members + 1] = id end
  end
  return members
end

local function drop_latch(key)
  local latch = read_latch(key)
  if not latch then return end
  apply('HDEL', REPORTS, positions(key, latch.size))
  apply('HDEL', REPORTS, positions(key, latch.size, ':id'))
  redis.call('HDEL', LATCHES, key)
  redis.call('HDEL', LATCH_COUNTS, key)
end
