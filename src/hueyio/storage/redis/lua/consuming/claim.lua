-- Take ready tasks, or one suspect alone. ARGV: owner, room in each lane. Answers nil without a lease, else deliveries, with 1
-- in the place of a large record (see `_take_some`).
-- keys: OWNERS PAUSED HELD
-- parts: _held _kind
-- first: _claim_at_once

if is_other_kind() then return refuse_other_kind() end
local owner = ARGV[1]
if redis.call('HEXISTS', OWNERS, owner) == 0 then return false end
if redis.call('EXISTS', PAUSED) == 1 then return {} end

local function holds_suspect()
  local id = redis.call('HGET', SOLITARY, owner)
  if not id then return false end
  local row = redis.call('HGET', HELD, id)
  if row and has(row, 'q') then return true end
  redis.call('HDEL', SOLITARY, owner)
  return false
end

local function take_suspect(rooms)
  for i, lane in ipairs(LANES) do
    local ids = rooms[i] > 0 and take(SUSPECTS[lane], 1) or {}
    if #ids == 1 then return ids end
  end
end

if holds_suspect() then return {} end
local rooms = {tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])}
if any_suspects() and redis.call('EXISTS', HELD) == 0 then
  local ids = take_suspect(rooms)
  if ids then
    redis.call('HSET', SOLITARY, owner, ids[1])
    return hold(HELD, ids, true)
  end
end
local taken = {}
for i, lane in ipairs(LANES) do
  if rooms[i] > 0 then
    local bytes, count = 0, 0
    while count < rooms[i] and bytes < CLAIM_BYTES do
      local id = take(READY[lane], 1)[1]
      if not id then
        -- Nothing is left to ring for. Suspects have the same bell: some other owner may be free for them.
        if length(SUSPECTS[lane]) == 0 then redis.call('DEL', BELLS[lane]) end
        break
      end
      count, bytes = count + 1, bytes + redis.call('HSTRLEN', TASKS, id)
      taken[#taken + 1] = id
    end
  end
end
return #taken > 0 and hold(HELD, taken) or {}
