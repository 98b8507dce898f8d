-- A task as a list shows it: {id, state, beginning of the record, deliveries, flags of the run, whether cancelled, owner,
-- progress, who expects it}; false is what there is not, and a list of Lua's has no nil within.
-- keys: PROGRESS
-- parts: _records _latch_rows

-- The beginning of a record: all of its header, and so many bytes of its message. What no hueyio wrote is cut too.
local function head_of(record, bytes)
  if (string.byte(record) or 0) >= 97 then return string.sub(record, 1, bytes + 1) end
  local length = string.match(record, '^[LTP][a-d](%d+):')
  return string.sub(record, 1, bytes + (length and 3 + #length + tonumber(length) or 1))
end

local function live_row(id, state, record, row, owner, cancelled, bytes)
  local deliveries, flags = string.match(row or '0', '^(%d+)(%a*)$')
  return {
    id, state, head_of(record, bytes), tonumber(deliveries or 0), flags or '', cancelled, owner or false,
    flags and has(flags, 'p') and redis.call('HGET', PROGRESS, id) or false, false,
  }
end

-- Of an id that is expected. A chord's callback has a record already.
local function expected_row(id, namers, bytes)
  local latch = read_latch(id)
  return {id, 'waiting', latch and head_of(latch.record, bytes) or false, 0, '', 0, false, false, namers}
end
