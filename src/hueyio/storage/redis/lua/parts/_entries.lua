-- Tasks on their way in. They are gathered and written together by `write_entries`: one HSET for all, one RPUSH per lane.
-- keys: TASKS SCHEDULE UNIQUE ONCE EXPECTED TICKS ENTERED
-- parts: _lanes _clock _expected _stages

local records, fresh, ready = {}, {}, {}  -- fresh: id -> what it expects, or true
local entered = {}  -- how many were added to each lane
local first_scheduled  -- the id that led the schedule before; nil: the schedule was not touched

local function write_records()
  apply('HSET', TASKS, records)
  records = {}
end

local function leader()
  return redis.call('ZRANGE', SCHEDULE, 0, 0)[1] or false
end

local function line_up(id, record, eta, expects)
  records[#records + 1] = id
  records[#records + 1] = record
  fresh[id] = expects or true
  if eta then
    if first_scheduled == nil then first_scheduled = leader() end
    redis.call('ZADD', SCHEDULE, eta, id)
    return
  end
  note_priority(id, record)
  local lane = lane_of(record)
  if not ready[lane] then ready[lane] = {} end
  table.insert(ready[lane], id)
end

local function count_entered(record)
  local lane = string.char(lane_of(record))
  entered[lane] = (entered[lane] or 0) + 1
end

local function expect_all(ids, namer)
  if not ids then return end
  write_records()
  for _, id in ipairs(ids) do expect(id, namer) end
end

-- Why it must not be added: 'd' its once token was seen, or 't' and the id that holds its unique key.
local function obstacle(header, is_again)
  if header.once_token and not is_again then
    local deadline = redis.call('ZSCORE', ONCE, header.once_token)
    if deadline and tonumber(deadline) > now() then return 'd' end
  end
  local holder = header.unique_key and redis.call('HGET', UNIQUE, header.unique_key)
  if holder then return 't', holder end
end

-- Add one that may have anything in its header. Returns nothing, or 'd' or 't' and the holder. `is_again`: its once token
-- is its own.
local function add_bound(id, record, is_again, stages)
  local header = read_header(record)
  local refusal, holder = obstacle(header, is_again)
  if refusal then return refusal, holder end
  if header.once_token and not is_again then
    redis.call('ZADD', ONCE, header.once_ttl and now() + header.once_ttl or '+inf', header.once_token)
    if header.once_key then redis.call('HSET', TICKS, header.once_key, header.once_token) end
  end
  if header.unique_key then redis.call('HSET', UNIQUE, header.unique_key, id) end
  line_up(id, record, header.eta, header.expects)
  count_entered(record)
  expect_all(header.expects, id)
  keep_stages(stages)
end

-- Add one; `alive` says whether the id is. Returns nothing if it was added, else 'l', 'd', or 't' and the holder.
local function add(id, record, alive, is_again)
  if alive or fresh[id] then return 'l' end
  local stages
  record, stages = unbundle(record)
  local lane, kind = string.byte(record, 1, 2)
  if lane >= 97 or kind == 97 then
    line_up(id, record)
    count_entered(record)
    return
  end
  return add_bound(id, record, is_again, stages)
end

-- Let a task that was released live on under another record: nothing is checked, its unique key stays.
-- Returns the ids that it expected and that nobody expects any more.
local function add_again(id, old_header, bundle)
  local record, stages = unbundle(bundle)
  local header, orphans, still = read_header(record), {}, {}
  if old_header.unique_key ~= header.unique_key then
    if old_header.unique_key then redis.call('HDEL', UNIQUE, old_header.unique_key) end
    if header.unique_key then redis.call('HSETNX', UNIQUE, header.unique_key, id) end
  end
  line_up(id, record, header.eta, header.expects)
  expect_all(header.expects, id)
  keep_stages(stages)
  for _, named in ipairs(header.expects or {}) do still[named] = true end
  for _, named in ipairs(old_header.expects or {}) do
    if not still[named] and no_longer_expect(named, id) then orphans[#orphans + 1] = named end
  end
  return orphans
end

local function write_entries()
  if not next(fresh) then return end
  write_records()
  if redis.call('EXISTS', EXPECTED) == 1 then
    local arrived = {}
    for id in pairs(fresh) do arrived[#arrived + 1] = id end
    apply('HDEL', EXPECTED, arrived)
    leave_stages(arrived, fresh)
  end
  for lane, ids in pairs(ready) do
    push_back(READY[lane], ids)
    ring(BELLS[lane], #ids)
  end
  for lane, count in pairs(entered) do redis.call('HINCRBY', ENTERED, lane, count) end
  if first_scheduled ~= nil and first_scheduled ~= leader() then ring(BELL_SCHEDULE, 1) end
  fresh, ready, entered, first_scheduled = {}, {}, {}, nil
end
