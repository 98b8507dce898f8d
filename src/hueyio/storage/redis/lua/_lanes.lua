-- The ready queues and the bells. What knows that a lane is a list is here and nowhere else.
-- keys: READY_LOOP READY_THREAD READY_PROCESS SUSPECTS_LOOP SUSPECTS_THREAD SUSPECTS_PROCESS
-- keys: BELL_LOOP BELL_THREAD BELL_PROCESS BELL_SCHEDULE
-- parts: _chunks _records

local LANES = {LOOP, THREAD, PROCESS}
local READY = {[LOOP] = READY_LOOP, [THREAD] = READY_THREAD, [PROCESS] = READY_PROCESS}
local SUSPECTS = {[LOOP] = SUSPECTS_LOOP, [THREAD] = SUSPECTS_THREAD, [PROCESS] = SUSPECTS_PROCESS}
local BELLS = {[LOOP] = BELL_LOOP, [THREAD] = BELL_THREAD, [PROCESS] = BELL_PROCESS}
local MOST_TOKENS = 64
local FEW = 16

local function push_back(queue, ids)
  apply('RPUSH', queue, ids)
end

-- The first of the ids comes to stand first.
local function push_front(queue, ids)
  local reversed, count = {}, #ids
  for i = 1, count do reversed[i] = ids[count + 1 - i] end
  apply('LPUSH', queue, reversed)
end

local function take(queue, room)
  return redis.call('LPOP', queue, room) or {}
end

local function peek_queue(queue, count)
  return redis.call('LRANGE', queue, 0, count - 1)
end

local function length(queue)
  return redis.call('LLEN', queue)
end

-- Take ids out of the middle: a few by search, many by one pass over all.
local function remove(queue, ids)
  if #ids <= FEW then
    for _, id in ipairs(ids) do redis.call('LREM', queue, 1, id) end
    return
  end
  local gone = {}
  for _, id in ipairs(ids) do gone[id] = true end
  local left = length(queue)
  while left > 0 do
    local part = take(queue, math.min(left, CHUNK))
    left = left - #part
    local kept = {}
    for _, id in ipairs(part) do
      if not gone[id] then kept[#kept + 1] = id end
    end
    push_back(queue, kept)
  end
end

-- Each token wakes one consumer. They are kept for those who listen later, but not without end.
local function ring(bell, times)
  local tokens = {}
  for i = 1, math.min(times, MOST_TOKENS - redis.call('LLEN', bell)) do tokens[i] = '1' end
  if #tokens > 0 then redis.call('RPUSH', bell, unpack(tokens)) end
end

local function any_suspects()
  return redis.call('EXISTS', SUSPECTS_LOOP, SUSPECTS_THREAD, SUSPECTS_PROCESS) > 0
end
