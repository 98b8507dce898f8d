-- The permits of locks and semaphores: values of the area `locks`, JSON as `storage/shared/permits.py` says.
-- keys: LOCKS LOCKS_TTL
-- parts: _areas

local function end_of(permit)
  return math.min(permit['until'] or math.huge, permit.deadline or math.huge)
end

-- Of a value, what is still held; nothing if it holds none at all.
local function read_permits(value)
  local readable, permits = pcall(cjson.decode, value or '{}')
  local alive = {}
  if not readable or type(permits) ~= 'table' then return alive, 0 end
  local count = 0
  for token, permit in pairs(permits) do
    if type(permit) == 'table' and end_of(permit) > now() then
      alive[token] = permit
      count = count + 1
    end
  end
  return alive, count
end

local function permits_of(key)
  return read_permits(live_value(LOCKS, LOCKS_TTL, key))
end

local function write_permits(key, permits)
  if not next(permits) then
    drop(LOCKS, LOCKS_TTL, {key})
    return
  end
  local last = 0
  for _, permit in pairs(permits) do last = math.max(last, end_of(permit)) end
  store(LOCKS, LOCKS_TTL, {key, cjson.encode(permits)}, last < math.huge and last - now() or nil)
end

-- Let the permits of an owner whose lease has ended last only for their grace.
local function end_permits(owner)
  if redis.call('EXISTS', LOCKS) == 0 then return end
  local all = redis.call('HGETALL', LOCKS)
  for i = 1, #all, 2 do
    local permits, changed = read_permits(all[i + 1]), false
    for token, permit in pairs(permits) do
      if permit.owner == owner then
        permits[token] = {['until'] = now() + permit.grace, deadline = permit.deadline}
        changed = true
      end
    end
    if changed then write_permits(all[i], permits) end
  end
end
