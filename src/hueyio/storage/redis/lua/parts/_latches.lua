-- What happens to latches: member results, the enqueue of the callback, the end of those that can never be complete.
-- What is over by it is gathered for `write_endings`.
-- keys: TASKS
-- parts: _latch_rows _endings _entries

-- Nobody will enqueue a callback: nobody expects it and what would follow it any more.
local function drop_callback(key, header)
  drop_latch(key)
  local orphans = {}
  if no_longer_expect(key, key) then orphans[1] = key end
  for _, named in ipairs(header.expects or {}) do
    if no_longer_expect(named, key) then orphans[#orphans + 1] = named end
  end
  abandon(orphans)
end

local take_absent_result

-- Enqueue a callback; true if it was added. If its unique key or once token is taken, the latch is over.
local function fire(key, record)
  if not add(key, record, redis.call('HEXISTS', TASKS, key) == 1) then
    write_entries()
    return true
  end
  local header = read_header(record)
  drop_callback(key, header)
  take_absent_result(header)
  return false
end

-- Take a member result; true if it was the last and the callback is enqueued.
local function take_member_result(key, position, value, id)
  local latch = read_latch(key)
  local place = tonumber(position)
  if not latch or place < 0 or place >= latch.size then return false end
  if redis.call('HSETNX', REPORTS, key .. ':' .. position, value) == 0 then return false end
  if id then redis.call('HSET', REPORTS, key .. ':' .. position .. ':id', id) end
  return redis.call('HINCRBY', LATCH_COUNTS, key, 1) == latch.size and fire(key, latch.record)
end

function take_absent_result(header)
  local latch = header.latch and read_latch(header.latch)
  if latch then take_member_result(header.latch, string.format('%d', header.latch_index), latch.absent) end
end

-- Drop the latch of a deleted task: it can never be complete. So is the one that waits for its callback.
local function abandon_latch(header)
  local latch = header.latch and redis.call('HEXISTS', TASKS, header.latch) == 0 and read_latch(header.latch)
  if not latch then return end
  local callback = read_header(latch.record)
  drop_callback(header.latch, callback)
  abandon_latch(callback)
end
