-- The next stages of pipelines as nearly all of them are, for `_settle_plain`: the task before expects this one and those after it,
-- nobody else expects any of them, and there is nothing in the headers that matters. `_entries` does all others.
-- keys: TASKS STAGES EXPECTED ENTERED
-- keys: READY_LOOP READY_THREAD READY_PROCESS BELL_LOOP BELL_THREAD BELL_PROCESS
-- parts: _push_<queue>

local MOST_LATER = 1000

-- The ids that a record expects; nil if its header says something else that matters.
local function expected_by(record)
  local lane, kind = string.byte(record, 1, 2)
  if lane >= 97 then return {} end
  if kind ~= 97 and kind ~= 98 and kind ~= 100 then return nil end
  local colon = string.find(record, ':', 3, true)
  local header = cjson.decode(string.sub(record, colon + 1, colon + tonumber(string.sub(record, 3, colon - 1))))
  if header.unique_key or header.collects or header.eta or header.once_token or header.priority then return nil end
  return header.expects or {}
end

-- Return what the next stages change: {ids, records, expected: (id, row)*, cut: ids that stand in `stages`}; nil: they are
-- not plain. `ids` are those of the tasks before.
local function plan_next(ids, next_ids, records)
  local olds, alive = redis.call('HMGET', TASKS, unpack(ids)), redis.call('HMGET', TASKS, unpack(next_ids))
  local rows = redis.call('HMGET', STAGES, unpack(next_ids))
  local cut, changed, laters, named, is_next = {}, {}, {}, {}, {}
  for i, next_id in ipairs(next_ids) do
    local is_readable, before, after = pcall(function() return expected_by(olds[i]), expected_by(records[i]) end)
    if alive[i] or not is_readable or not before or not after or before[1] ~= next_id then return nil end
    is_next[next_id] = true
    local row, namer = rows[i], ids[i]
    if row then
      local colon = string.find(row, ':', 1, true)
      local stop = colon + tonumber(string.sub(row, 1, colon - 1))
      if #before > 1 or #after > 1 or (after[1] or '') ~= string.sub(row, colon + 1, stop) then return nil end
      cut[#cut + 1] = next_id
      namer = next_id
    elseif #before ~= #after + 1 then
      return nil
    end
    for j, later in ipairs(after) do
      if not row then
        if later ~= before[j + 1] then return nil end
        changed[#changed + 1] = later
        changed[#changed + 1] = #next_id .. ':' .. next_id
      end
      laters[#laters + 1] = later
      named[#named + 1] = #namer .. ':' .. namer
    end
  end
  if #laters > MOST_LATER then return nil end
  local expected = #laters > 0 and redis.call('HMGET', EXPECTED, unpack(laters))
  for i, later in ipairs(laters) do
    if is_next[later] or expected[i] ~= named[i] then return nil end
  end
  return {ids = next_ids, records = records, expected = changed, cut = cut}
end

local function write_next(plan)
  local items, lanes = {}, {}
  for i, id in ipairs(plan.ids) do
    local lane = string.char(string.byte(plan.records[i])):lower()
    items[#items + 1] = id
    items[#items + 1] = plan.records[i]
    if not lanes[lane] then lanes[lane] = {} end
    table.insert(lanes[lane], id)
  end
  redis.call('HSET', TASKS, unpack(items))
  if #plan.expected > 0 then redis.call('HSET', EXPECTED, unpack(plan.expected)) end
  redis.call('HDEL', EXPECTED, unpack(plan.ids))
  if #plan.cut > 0 then redis.call('HDEL', STAGES, unpack(plan.cut)) end
  local places = {l = {READY_LOOP, BELL_LOOP}, t = {READY_THREAD, BELL_THREAD}, p = {READY_PROCESS, BELL_PROCESS}}
  for lane, ids in pairs(lanes) do
    local ready, bell, tokens = places[lane][1], places[lane][2], {}
    push_back(ready, ids)
    for i = 1, math.min(#ids, 64 - redis.call('LLEN', bell)) do tokens[i] = '1' end
    if #tokens > 0 then redis.call('RPUSH', bell, unpack(tokens)) end
    redis.call('HINCRBY', ENTERED, lane, #ids)
  end
end
