-- What owners count, in slots of time. A slot is called <span>:<number>; it has fields in `counts`: t the totals, i its names
-- with how many ended, f its groups of failures, q how many tasks were added to each lane, and n<name> what was counted of
-- the tasks of that name; each is JSON, numbers by names. `count:slots` has the slots by the time until which they are kept.
-- keys: COUNTS COUNT_SLOTS
-- parts: _clock _chunks

local SPANS = {{60, 21600}, {600, 172800}, {3600, 2592000}}  -- COUNT_SPANS in records.py
local MOST_COUNTED, OTHERS = 100, '~other'

local function counts_in(text)
  return text and cjson.decode(text) or {}
end

local function add_all(known, more)
  for key, count in pairs(more) do known[key] = (known[key] or 0) + count end
end

-- Of so many keys each is told apart. Returns those that went to OTHERS.
local function add_bounded(known, more)
  local room, refused = MOST_COUNTED, {}
  for key in pairs(known) do
    if key ~= OTHERS then room = room - 1 end
  end
  for key, count in pairs(more) do
    local to = key
    if not known[key] and key ~= OTHERS then
      room = room - 1
      if room < 0 then
        to = OTHERS
        refused[key] = true
      end
    end
    known[to] = (known[to] or 0) + count
  end
  return refused
end

local function drop_slots(limit)
  local over = redis.call('ZRANGEBYSCORE', COUNT_SLOTS, '-inf', now(), 'LIMIT', 0, limit)
  for _, slot in ipairs(over) do
    local fields = {slot .. 't', slot .. 'i', slot .. 'f', slot .. 'q'}
    for name in pairs(counts_in(redis.call('HGET', COUNTS, slot .. 'i'))) do fields[#fields + 1] = slot .. 'n' .. name end
    apply('HDEL', COUNTS, fields)
  end
  apply('ZREM', COUNT_SLOTS, over)
end
