-- Take and read what is ready in one lane, up to the message with which a claim has CLAIM_BYTES (see `records.py`), records
-- counted in full. A large record is left to a plain HGET, for the reason that `_large` gives. How long a record is, is asked
-- only where a large one is likely, because most queues have none: of the first, and of those behind a large one. Of small ones
-- more and more are read at a time.
-- keys: TASKS
-- parts: _take_<queue>

local LARGE_RECORD, CLAIM_BYTES, FEW = 65536, 1048576, 16

-- Ids, and their records: 1 in the place of a large one, false for one that the server has lost; and whether the lane is empty.
local function take_some(queue, room)
  local ids, records, bytes = {}, {}, 0
  local most  -- how many are taken at once; nil while each may be large
  while #ids < room and bytes < CLAIM_BYTES do
    local asked = math.min(most or 1, room - #ids)
    local taken = take(queue, asked)
    local length = not most and #taken == 1 and redis.call('HSTRLEN', TASKS, taken[1]) or 0
    local before = #ids
    if length > LARGE_RECORD then
      ids[before + 1], records[before + 1], bytes = taken[1], 1, bytes + length
    elseif #taken > 0 then
      if not most and room - before > 1 then
        asked = math.min(FEW, room - before)
        for _, id in ipairs(take(queue, asked - 1)) do taken[#taken + 1] = id end
      end
      most = FEW * FEW
      for i, record in ipairs(redis.call('HMGET', TASKS, unpack(taken))) do
        ids[before + i], records[before + i] = taken[i], record
        if record then bytes = bytes + #record end
        if record and #record > LARGE_RECORD then most = nil end
      end
      if most then most = math.min(most, math.ceil((CLAIM_BYTES - bytes) * #ids / (bytes + 1))) end
    end
    if #taken < asked then return ids, records, true end
  end
  return ids, records, false
end
