-- List tasks of a state, a part at a time. ARGV: the fleet, state, limit, how many bytes of a message, how many bytes of
-- records may be read, and the parts of the place after which to begin, if any. Answers whether there may be more, the
-- place and the id at which it stopped, and (place, id, row)*. A row is what `_rows` says, or of most tasks, of which
-- nothing else is to be said, the beginning of the record. A place is made of what the id does not say: numbers with
-- blanks between them; of a running task it is the owner.
-- keys: TASKS SCHEDULE EXPECTED DELIVERIES CANCELLED HELD*
-- parts: _fleet _lanes _kind _rows _seek _page_<queue>

if is_other_kind() then return refuse_other_kind() end
local others = strangers()
if others then return others end
local state, limit = ARGV[FIRST_AFTER], tonumber(ARGV[FIRST_AFTER + 1])
local bytes, most_bytes = tonumber(ARGV[FIRST_AFTER + 2]), tonumber(ARGV[FIRST_AFTER + 3])
local after = {unpack(ARGV, FIRST_AFTER + 4)}
local STEP = 20

local ids, places, runs = {}, {}, {}  -- what is looked at; runs: id -> {row, owner}

local function room()
  return limit + 1 - #ids
end

local function note(id, place)
  ids[#ids + 1] = id
  places[#places + 1] = place
end

local function note_ready()
  local queues = {}
  for _, kind in ipairs({SUSPECTS, READY}) do
    for _, lane in ipairs(LANES) do queues[#queues + 1] = kind[lane] end
  end
  local first = tonumber(after[1] or 1)
  for number = first, #queues do
    if room() > 0 then
      local some, their_places = stand(queues[number], after[1] and number == first and {after[2], after[3]}, room())
      local prefix = number .. ' '
      for i = 1, #some do note(some[i], prefix .. their_places[i]) end
    end
  end
end

local function note_scheduled()
  local from = after[1] and seek(SCHEDULE, after[1], function(id) return is_later(id, after[2]) end) or 0
  local members = redis.call('ZRANGE', SCHEDULE, from, from + limit, 'WITHSCORES')
  for i = 1, #members, 2 do note(members[i], members[i + 1]) end
end

-- Who runs it is known by the hash in which it is.
local function note_running()
  local owners = {}
  for i = 1, FLEET do owners[i] = {name = ARGV[1 + i], held = held_of(i)} end
  table.sort(owners, function(one, other) return one.name < other.name end)
  for _, owner in ipairs(owners) do
    local is_first = owner.name == after[1]
    if room() > 0 and (not after[1] or is_first or owner.name > after[1]) then
      local all, some = redis.call('HGETALL', owner.held), {}
      for i = 1, #all, 2 do
        if not is_first or is_later(all[i], after[2]) then
          some[#some + 1] = all[i]
          runs[all[i]] = {all[i + 1], owner.name}
        end
      end
      table.sort(some, function(one, other) return is_later(other, one) end)
      for i = 1, math.min(#some, room()) do note(some[i], owner.name) end
    end
  end
end

local rows, is_more, last, last_id = {}, false, false, ''
local any_kept = redis.call('EXISTS', DELIVERIES) == 1
local any_cancelled = redis.call('EXISTS', CANCELLED) == 1

local function list(from, to)
  local some = {unpack(ids, from, to)}
  local read = redis.call('HMGET', TASKS, unpack(some))
  local kept = any_kept and redis.call('HMGET', DELIVERIES, unpack(some))
  local cancelled = any_cancelled and redis.call('SMISMEMBER', CANCELLED, unpack(some))
  local size = 0
  for i = 1, #some do
    local id, record, run = some[i], read[i], runs[some[i]]
    local row = run and run[1] or kept and kept[i] or '0'
    local is_cancelled = cancelled and cancelled[i] or 0
    if record then
      size = size + #record
      local count = #rows
      rows[count + 1], rows[count + 2] = places[from + i - 1], id
      if run or row ~= '0' or is_cancelled == 1 then
        rows[count + 3] = live_row(id, state, record, row, run and run[2], is_cancelled, bytes)
      else
        rows[count + 3] = head_of(record, bytes)
      end
    end
  end
  last, last_id = places[to], ids[to]
  return size
end

-- A few at a time, because their messages are read together with them.
local function list_noted()
  local count, size, from = math.min(#ids, limit), 0, 1
  while from <= count and size < most_bytes do
    local to = math.min(from + STEP - 1, count)
    size = size + list(from, to)
    from = to + 1
  end
  is_more = #ids > from - 1
end

-- A place is the cursor of a scan and how many of its answer came before.
local function list_waiting()
  local cursor, skipped, scans = after[1] or '0', tonumber(after[2] or 0), 0
  repeat
    local found = redis.call('HSCAN', EXPECTED, cursor, 'COUNT', limit + 1)
    local all = found[2]
    for i = 2 * skipped + 1, #all, 2 do
      if #rows >= 3 * limit then
        is_more = true
        return
      end
      last, last_id = cursor .. ' ' .. (i + 1) / 2, all[i]
      rows[#rows + 1] = last
      rows[#rows + 1] = all[i]
      rows[#rows + 1] = expected_row(all[i], all[i + 1], bytes)
    end
    cursor, skipped, scans = found[1], 0, scans + 1
  until cursor == '0' or scans == 10
  is_more = cursor ~= '0'
  if is_more then last = cursor .. ' 0' end
end

if state == 'waiting' then
  list_waiting()
else
  if state == 'ready' then note_ready() elseif state == 'scheduled' then note_scheduled() else note_running() end
  list_noted()
end
return {'ok', {is_more and 1 or 0, last, last_id, rows}}
