-- Flag what is alive, and take what nobody holds under the caller's lease. ARGV: the fleet, owner, ids.
-- Answers nil without a lease, else deliveries.
-- keys: SCHEDULE HELD*
-- parts: _held _fleet _kind

if is_other_kind() then return refuse_other_kind() end
local owner = ARGV[FIRST_AFTER]
if redis.call('HEXISTS', OWNERS, owner) == 0 then return false end
local others = strangers()
if others then return others end

local held, seen = nil, {}
for i = 1, FLEET do
  if ARGV[1 + i] == owner then held = held_of(i) end
end

local free, notified, from = {}, {}, {}  -- from: queue -> ids to take out of it
local function take_free(id, record)
  free[#free + 1] = id
  if redis.call('ZREM', SCHEDULE, id) == 1 then return end
  local kept = redis.call('HGET', DELIVERIES, id)
  local lane, queue = lane_of(record), nil
  local deliveries = kept and read_row(kept) or 0
  local suspect = deliveries > 0 and (read_header(record).max_deliveries or 3) - deliveries == 1
  queue = (suspect and SUSPECTS or READY)[lane]
  if not from[queue] then from[queue] = {} end
  table.insert(from[queue], id)
end

for i = FIRST_AFTER + 1, #ARGV do
  local id = ARGV[i]
  local record = not seen[id] and redis.call('HGET', TASKS, id)
  if record then
    seen[id] = true
    redis.call('SADD', CANCELLED, id)
    local held_by_other = holder_of(id)
    if held_by_other then notified[held_by_other] = true else take_free(id, record) end
  end
end
for queue, ids in pairs(from) do remove(queue, ids) end
local taken = #free > 0 and hold(held, free) or {}
for key in pairs(notified) do notify(key) end
return {'ok', taken}
