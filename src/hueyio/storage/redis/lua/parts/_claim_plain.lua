-- What nearly every claim is: no suspects anywhere, nothing redelivered, nothing cancelled. Otherwise nothing is touched here,
-- and the answer is nil: false says that the owner has no lease.
-- It stands in front of all other functions, because making those costs more than this does.
-- keys: TASKS OWNERS DELIVERIES CANCELLED SOLITARY PAUSED HELD SUSPECTS_LOOP SUSPECTS_THREAD SUSPECTS_PROCESS
-- keys: READY_LOOP READY_THREAD READY_PROCESS BELL_LOOP BELL_THREAD BELL_PROCESS OTHER_KIND REVOCATIONS STAGES
-- parts: _take_some

local function claim_plain(owner, loop_room, thread_room, process_room)
  if loop_room + thread_room + process_room > 2000 or redis.call(
    'EXISTS', PAUSED, DELIVERIES, CANCELLED, SOLITARY, SUSPECTS_LOOP, SUSPECTS_THREAD, SUSPECTS_PROCESS, OTHER_KIND) > 0 then
    return nil
  end
  if redis.call('HEXISTS', OWNERS, owner) == 0 then return false end
  local lanes = {
    {READY_LOOP, BELL_LOOP, loop_room}, {READY_THREAD, BELL_THREAD, thread_room}, {READY_PROCESS, BELL_PROCESS, process_room},
  }
  local byte, kept, read, rows, bound = string.byte, {}, {}, {}, {}
  for i = 1, 3 do
    local queue, room = lanes[i][1], tonumber(lanes[i][3])
    if room > 0 then
      local taken, records, is_empty = take_some(queue, room)
      if is_empty then redis.call('DEL', lanes[i][2]) end
      for j = 1, #taken do
        local record = records[j]
        if record then
          kept[#kept + 1] = taken[j]
          read[#read + 1] = record
          rows[#rows + 1] = taken[j]
          -- Whether a large one is bound, who claims it finds out, and says it by `bind`.
          local lane, kind
          if record ~= 1 then lane, kind = byte(record, 1, 2) end
          local is_bound = lane and lane < 97 and (kind == 98 or kind == 100)
          rows[#rows + 1] = is_bound and '0x' or '0'
          if is_bound then bound[#bound + 1] = #kept end
        end
      end
    end
  end
  if #kept == 0 then return {} end
  redis.call('HSET', HELD, unpack(rows))
  -- The stages that come next in pipelines; `_stages` does the same.
  local following = {}
  for i = 1, #bound > 0 and redis.call('EXISTS', STAGES) == 1 and #bound or 0 do
    local record, find, sub = read[bound[i]], string.find, string.sub
    local colon = find(record, ':', 3, true) or 3
    local stop = colon + (tonumber(sub(record, 3, colon - 1)) or 0)
    local is_readable, header = pcall(cjson.decode, sub(record, colon + 1, stop))  -- somebody else may have written it
    local expects = is_readable and type(header) == 'table' and header.expects
    local row = expects and #expects == 1 and redis.call('HGET', STAGES, expects[1])
    if row then
      local first = find(row, ':', 1, true)
      following[#following + 1] = bound[i]
      following[#following + 1] = sub(row, first + tonumber(sub(row, 1, first - 1)) + 1)
    end
  end
  return {kept, read, {}, redis.call('EXISTS', REVOCATIONS), following}
end
