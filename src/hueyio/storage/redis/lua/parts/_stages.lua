-- Later stages of pipelines. A row of `stages`: <length of the next id> ":" <id of the stage after it> <message>; that of
-- the last has no next id. A stage stands here as long as its id is expected, and the one before it is its namer there.
-- A task that comes with its stages is a bundle, which is never stored:
--
--   "*" <length of record> ":" <record> ( <length of id> ":" <length of message> ":" <id> <message> )*
-- keys: STAGES EXPECTED TASKS
-- parts: _records _expected _chunks

local MARK = '\147hpipe1'  -- see `stages.py`

-- A record, and the stages that came with it, {id, message} each; nil if it is no bundle.
local function unbundle(bundle)
  if string.byte(bundle) ~= 42 then return bundle end
  local colon = string.find(bundle, ':', 2, true)
  local at, stages = colon + tonumber(string.sub(bundle, 2, colon - 1)) + 1, {}
  local record = string.sub(bundle, colon + 1, at - 1)
  while at <= #bundle do
    local first = string.find(bundle, ':', at, true)
    local second = string.find(bundle, ':', first + 1, true)
    local stop = second + tonumber(string.sub(bundle, at, first - 1))
    at = stop + tonumber(string.sub(bundle, first + 1, second - 1)) + 1
    stages[#stages + 1] = {string.sub(bundle, second + 1, stop), string.sub(bundle, stop + 1, at - 1)}
  end
  return record, stages
end

-- The id of the stage after it, nil for the last one, and its message.
local function cut_stage(row)
  local colon = string.find(row, ':', 1, true)
  local stop = colon + tonumber(string.sub(row, 1, colon - 1))
  return stop > colon and string.sub(row, colon + 1, stop) or nil, string.sub(row, stop + 1)
end

-- Let stages wait, each after the one before; those behind an id that is alive never come. All records are written.
local function keep_stages(stages)
  if not stages then return end
  local ids, rows, named = {}, {}, {}
  for i, stage in ipairs(stages) do ids[i] = stage[1] end
  local alive, expected, count = fetch('HMGET', TASKS, ids), fetch('HMGET', EXPECTED, ids), #ids
  for i = #ids, 1, -1 do
    if alive[i] then count = i - 1 end
  end
  for i = 1, count do
    local next_id = i < count and ids[i + 1] or ''
    rows[#rows + 1] = ids[i]
    rows[#rows + 1] = #next_id .. ':' .. next_id .. stages[i][2]
    local before, row = ids[i - 1], expected[i] or ''
    if before and not select(2, without(row, before)) then
      named[#named + 1] = ids[i]
      named[#named + 1] = row .. #before .. ':' .. before
    end
  end
  apply('HSET', STAGES, rows)
  apply('HSET', EXPECTED, named)
end

-- Let a stage stand here no more; the id of the one after it.
local function take_stage(id)
  if redis.call('EXISTS', STAGES) == 0 then return nil end
  local row = redis.call('HGET', STAGES, id)
  if not row then return nil end
  redis.call('HDEL', STAGES, id)
  return (cut_stage(row))
end

-- Let tasks be stages no more that are alive now. Where one is not the stage that waited under its id, what came after that
-- is forgotten. `expects`: by id what the task expects.
local function leave_stages(ids, expects)
  if redis.call('EXISTS', STAGES) == 0 then return end
  for _, id in ipairs(ids) do
    local namer, later = id, take_stage(id)
    for _, named in ipairs(later and type(expects[id]) == 'table' and expects[id] or {}) do
      if named == later then later = nil end
    end
    while later and no_longer_expect(later, namer) do namer, later = later, take_stage(later) end
  end
end

-- Ids, each with the stages that come after it, and rows by id; those of an id that is alive are its own business.
local function with_later(ids)
  local rows, all, seen = {}, {}, {}
  if redis.call('EXISTS', STAGES) == 0 then return ids, rows end
  for _, first in ipairs(ids) do
    local id = first
    while id and not seen[id] do
      seen[id] = true
      all[#all + 1] = id
      rows[id] = redis.call('HEXISTS', TASKS, id) == 0 and redis.call('HGET', STAGES, id) or nil
      id = rows[id] and cut_stage(rows[id])
    end
  end
  return all, rows
end

-- What a record expects, if that is one id: a stage may stand here under it. nil for what no hueyio wrote.
local function next_of(record)
  if not is_bound(record) then return nil end
  local is_readable, header, from = pcall(read_header, record)
  if is_readable and type(header.expects) == 'table' and #header.expects == 1 then return header.expects[1], from end
end

-- The record of a task whose message has those of its later stages joined to it.
local function joined(id, record)
  if redis.call('EXISTS', STAGES) == 0 then return record end
  local next_id, from = next_of(record)
  if not next_id or string.sub(record, from, from + #MARK - 1) == MARK then return record end
  local ids, rows = with_later({next_id})
  if not rows[next_id] then return record end
  local pieces = {string.sub(record, 1, from - 1), MARK}
  local function add_piece(of, message)
    pieces[#pieces + 1] = #of .. ':' .. #message .. ':' .. of
    pieces[#pieces + 1] = message
  end
  add_piece(id, string.sub(record, from))
  for _, later in ipairs(ids) do
    if rows[later] then add_piece(later, select(2, cut_stage(rows[later]))) end
  end
  return table.concat(pieces)
end

-- Of these tasks (index, message of the stage that comes next)*, where that stands here.
local function following(records)
  local found = {}
  if redis.call('EXISTS', STAGES) == 0 then return found end
  for i, record in ipairs(records) do
    local next_id = record and next_of(record)
    local row = next_id and redis.call('HGET', STAGES, next_id)
    if row then
      found[#found + 1] = i
      found[#found + 1] = select(2, cut_stage(row))
    end
  end
  return found
end
