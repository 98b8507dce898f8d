-- What else a sorted set of ids can do.
-- keys: TASKS SEQUENCE
-- parts: _chunks _records _take_sorted _push_sorted

-- Remember where an id that is about to be pushed belongs.
local function note_priority(id, record)
  if is_plain(record) then return end
  local priority = read_header(record).priority
  if priority then scores[id] = -priority end
end

-- The first of the ids comes to stand first of its priority.
local function push_front(queue, ids)
  if #ids == 0 then return end
  push_from(MIDDLE - redis.call('INCRBY', SEQUENCE, #ids) - 1, queue, ids)
end

local function peek_queue(queue, count)
  local members = redis.call('ZRANGE', queue, 0, count - 1)
  for i = 1, #members do members[i] = string.sub(members[i], 8) end
  return members
end

local function length(queue)
  return redis.call('ZCARD', queue)
end

-- Take ids with this score out. Their numbers are not known, so all with this score are looked at until they are found.
local function remove_scored(queue, score, gone, left)
  local at = redis.call('ZCOUNT', queue, '-inf', '(' .. score)
  local stop = redis.call('ZCOUNT', queue, '-inf', score)
  local members = {}
  while at < stop and left > 0 do
    for _, member in ipairs(redis.call('ZRANGE', queue, at, math.min(at + CHUNK, stop) - 1)) do
      if gone[string.sub(member, 8)] then
        members[#members + 1] = member
        left = left - 1
      end
    end
    at = at + CHUNK
  end
  apply('ZREM', queue, members)
end

-- The same for ids that came late, from the back.
local function remove_scored_late(queue, score, gone, left)
  local first = redis.call('ZCOUNT', queue, '-inf', '(' .. score)
  local stop = redis.call('ZCOUNT', queue, '-inf', score)
  local members = {}
  while stop > first and left > 0 do
    local start = math.max(stop - CHUNK, first)
    for _, member in ipairs(redis.call('ZRANGE', queue, start, stop - 1)) do
      if gone[string.sub(member, 8)] then
        members[#members + 1] = member
        left = left - 1
      end
    end
    stop = start
  end
  apply('ZREM', queue, members)
end

local function remove_from(queue, ids, remove_group)
  local groups = {}  -- score as text -> which ids have it, and how many
  for i, record in ipairs(fetch('HMGET', TASKS, ids)) do
    note_priority(ids[i], record)
    local score = string.format('%.17g', scores[ids[i]] or 0)
    if not groups[score] then groups[score] = {ids = {}, count = 0} end
    groups[score].ids[ids[i]] = true
    groups[score].count = groups[score].count + 1
  end
  for score, group in pairs(groups) do remove_group(queue, score, group.ids, group.count) end
end

local function remove(queue, ids)
  remove_from(queue, ids, remove_scored)
end

local function remove_late(queue, ids)
  remove_from(queue, ids, remove_scored_late)
end
