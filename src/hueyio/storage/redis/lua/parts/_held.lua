-- What is under an owner's lease, on its way out to the owner and back.
-- keys: TASKS DELIVERIES CANCELLED SOLITARY PROGRESS REVOCATIONS
-- parts: _lanes _stages

-- Tell the owner of an in-flight hash that its notices changed. The hash is named by the owner, and so is its channel.
-- Comes after all writes, and cannot fail.
local function notify(held)
  local prefix = string.sub(TASKS, 1, -1 - #'tasks')
  redis.pcall('PUBLISH', prefix .. 'notice:' .. string.sub(held, #prefix + #'held:' + 1), '')
end

-- Answer deliveries: ids, records, of those that are not plain (index, deliveries, started, cancelled)*, whether there
-- is any revocation, and the stages that come next (see `following`).
local function deliver(ids, rows, read)
  local marks = {}
  local flagged = redis.call('EXISTS', CANCELLED) == 1 and fetch('SMISMEMBER', CANCELLED, ids)
  for i = 1, #ids do
    local row, cancelled = rows[i], flagged and flagged[i] == 1
    if cancelled or (row ~= '0' and row ~= '0x') then
      local deliveries, flags = read_row(row)
      local mark = {i, deliveries, has(flags, 's') and 1 or 0, cancelled and 1 or 0}
      for j = 1, 4 do marks[#marks + 1] = mark[j] end
    end
  end
  return {ids, read, marks, redis.call('EXISTS', REVOCATIONS), following(read)}
end

-- The ids that have a record, and their records.
local function read_tasks(all)
  local ids, read = {}, {}
  for i, record in ipairs(fetch('HMGET', TASKS, all)) do
    if record then
      ids[#ids + 1] = all[i]
      read[#read + 1] = record
    end
  end
  return ids, read
end

-- Put ids that are in no queue any more under the lease in HELD; returns what `deliver` says.
local function hold(held, all, suspect)
  local ids, read = read_tasks(all)
  local kept = redis.call('EXISTS', DELIVERIES) == 1 and fetch('HMGET', DELIVERIES, ids)
  if kept then apply('HDEL', DELIVERIES, ids) end
  local rows, writes = {}, {}
  for i = 1, #ids do
    local row = kept and kept[i] or '0'
    if suspect then row = row .. 'q' end
    if is_bound(read[i]) then row = row .. 'x' end
    rows[i] = row
    writes[2 * i - 1] = ids[i]
    writes[2 * i] = row
  end
  apply('HSET', held, writes)
  local found, flagged = deliver(ids, rows, read), false
  for i = 4, #found[3], 4 do flagged = flagged or found[3][i] == 1 end
  if flagged then notify(held) end
  return found
end

-- Put held ids with their rows to the front of their lanes, `more` deliveries counted, in the order given.
-- One that has a single delivery left after a count goes to the suspects, and so does one that was a suspect.
local function put_back(ids, rows, more)
  local read = fetch('HMGET', TASKS, ids)
  local fronts, kept = {}, {}
  for i, id in ipairs(ids) do
    local deliveries, flags = read_row(rows[i])
    if has(flags, 'p') then redis.call('HDEL', PROGRESS, id) end
    if read[i] then  -- else the server has lost it: nothing can be put back, and the others must be
      local lane = lane_of(read[i])
      deliveries = deliveries + more
      local left = deliveries > 0 and (read_header(read[i]).max_deliveries or 3) - deliveries
      local queue = (left == 1 and SUSPECTS or READY)[lane]
      note_priority(id, read[i])
      if not fronts[queue] then fronts[queue] = {ids = {}, lane = lane} end
      table.insert(fronts[queue].ids, id)
      if deliveries > 0 or has(flags, 's') then
        kept[#kept + 1] = id
        kept[#kept + 1] = deliveries .. (has(flags, 's') and 's' or '')
      end
    end
  end
  apply('HSET', DELIVERIES, kept)
  for queue, front in pairs(fronts) do
    push_front(queue, front.ids)
    ring(BELLS[front.lane], #front.ids)
  end
end

-- End a lease: all that it holds goes back. Returns how much that was.
local function end_lease(held, owner, more)
  local all, ids, rows = redis.call('HGETALL', held), {}, {}
  for i = 1, #all, 2 do
    ids[#ids + 1] = all[i]
    rows[#rows + 1] = all[i + 1]
  end
  put_back(ids, rows, more)
  redis.call('DEL', held)
  redis.call('HDEL', SOLITARY, owner)
  if redis.call('EXISTS', CANCELLED) == 1 then notify(held) end
  return #ids
end

-- Ring the lanes that have something, for owners that could not take it before.
local function ring_what_is_there(queues)
  for _, lane in ipairs(LANES) do
    local waiting = length(queues[lane])
    if waiting > 0 then ring(BELLS[lane], waiting) end
  end
end
