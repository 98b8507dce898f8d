-- Take ready tasks by their ids, or one suspect of them alone. ARGV: the fleet, owner, room in each lane, 1 if nothing that the
-- owner holds runs, ids. Answers nil without a lease, else deliveries.
-- keys: SCHEDULE PAUSED HELD*
-- parts: _held _fleet _kind

if is_other_kind() then return refuse_other_kind() end
local owner = ARGV[FIRST_AFTER]
if redis.call('HEXISTS', OWNERS, owner) == 0 then return false end
local others = strangers()
if others then return others end
if redis.call('EXISTS', PAUSED) == 1 then return {'ok', {}} end

local held, rooms, alone = nil, {}, ARGV[FIRST_AFTER + 4] == '1'
for i = 1, FLEET do
  if ARGV[1 + i] == owner then held = held_of(i) end
end
for i, lane in ipairs(LANES) do rooms[lane] = tonumber(ARGV[FIRST_AFTER + i]) end

local function is_suspect(id, record)
  local kept = redis.call('HGET', DELIVERIES, id)
  local deliveries = kept and read_row(kept) or 0
  return deliveries > 0 and (read_header(record).max_deliveries or 3) - deliveries == 1
end

local taken, from, seen = {}, {}, {}  -- from: queue -> ids to take out of it
local function take_out(id, queue)
  taken[#taken + 1] = id
  if not from[queue] then from[queue] = {} end
  table.insert(from[queue], id)
end

local function is_ready(id, record)
  return record and rooms[lane_of(record)] > 0 and not redis.call('ZSCORE', SCHEDULE, id) and not holder_of(id)
end

local suspect = false
for i = FIRST_AFTER + 5, #ARGV do
  local id = ARGV[i]
  local record = not seen[id] and redis.call('HGET', TASKS, id)
  seen[id] = true
  if is_ready(id, record) then
    local lane = lane_of(record)
    if not is_suspect(id, record) then
      take_out(id, READY[lane])
      rooms[lane] = rooms[lane] - 1
    elseif alone and #taken == 0 then
      take_out(id, SUSPECTS[lane])
      suspect = true
      redis.call('HSET', SOLITARY, owner, id)
      break
    end
  end
end
for queue, ids in pairs(from) do remove_late(queue, ids) end
return {'ok', #taken > 0 and hold(held, taken, suspect) or {}}
