-- What is remembered of runs. `history`: a list of <when> " " <how many ids> " " <length of ids> ":" <ids> <data>, an entry for
-- each batch of settlements, the latest last; the ids have a line each, see shared/packed_ids.py. `history:state`: `count`, how
-- many ids the entries have; `dropped`, how many entries were there before the first: the number of an entry is that
-- and its index. `attempts`: a hash of (<when> " " <length> ":" <data>)* by ids; `attempts:order`: a list of <when> " " <id>, one
-- for each attempt that was written, the latest last; also for those that gave way to later ones of their id.
-- It stands in front of `_settle_plain`, so it makes few functions.
-- keys: HISTORY HISTORY_STATE ATTEMPTS ATTEMPTS_ORDER

local MOST_ATTEMPTS = 10

-- Add an attempt (nil: none) of an id, and drop those that were written up to a moment (nil: none).
local function change_attempts(id, written, added)
  local parts = redis.call('HGET', ATTEMPTS, id) or ''
  local kept, at = {}, 1
  while at <= #parts do
    local _, last, stamp, length = string.find(parts, '^(%S+) (%d+):', at)
    local stop = last + tonumber(length)
    if not written or tonumber(stamp) > tonumber(written) then kept[#kept + 1] = string.sub(parts, at, stop) end
    at = stop + 1
  end
  if added then kept[#kept + 1] = added end
  if #kept == 0 then
    redis.call('HDEL', ATTEMPTS, id)
  else
    redis.call('HSET', ATTEMPTS, id, table.concat(kept, '', math.max(#kept - MOST_ATTEMPTS + 1, 1)))
  end
end

-- Drop the oldest attempts that are too many, or were written up to a moment (nil: none); `most` of them.
local function drop_attempts(keep, too_old, most)
  local surplus = redis.call('LLEN', ATTEMPTS_ORDER) - keep
  if surplus <= 0 and not too_old then return end
  for _ = 1, most do
    local oldest = redis.call('LRANGE', ATTEMPTS_ORDER, 0, 0)[1]
    if not oldest then return end
    local space = string.find(oldest, ' ', 1, true)
    local written = string.sub(oldest, 1, space - 1)
    if surplus <= 0 and not (too_old and tonumber(written) <= too_old) then return end
    redis.call('LPOP', ATTEMPTS_ORDER)
    change_attempts(string.sub(oldest, space + 1), written)
    surplus = surplus - 1
  end
end

-- Drop the oldest entries in the same way.
local function drop_entries(keep, too_old, most)
  local surplus = tonumber(redis.call('HGET', HISTORY_STATE, 'count') or 0) - keep
  if surplus <= 0 and not too_old then return end
  for _ = 1, most do
    local oldest = redis.call('LRANGE', HISTORY, 0, 0)[1]
    if not oldest then return end
    local written, size = string.match(oldest, '^(%S+) (%d+)')
    if tonumber(size) > surplus and not (too_old and tonumber(written) <= too_old) then return end
    redis.call('LPOP', HISTORY)
    redis.call('HINCRBY', HISTORY_STATE, 'count', -size)
    redis.call('HINCRBY', HISTORY_STATE, 'dropped', 1)
    surplus = surplus - size
  end
end
