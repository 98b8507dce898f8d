-- The places of locks and semaphores: values of the area `locks`, JSON as `storage/places.py` says.
-- keys: LOCKS LOCKS_TTL
-- parts: _areas

local function end_of(place)
  return math.min(place['until'] or math.huge, place.deadline or math.huge)
end

-- Of a value, what is still held; nothing if it is no places at all.
local function read_places(value)
  local readable, places = pcall(cjson.decode, value or '{}')
  local alive = {}
  if not readable or type(places) ~= 'table' then return alive, 0 end
  local count = 0
  for token, place in pairs(places) do
    if type(place) == 'table' and end_of(place) > now() then
      alive[token] = place
      count = count + 1
    end
  end
  return alive, count
end

local function places_of(key)
  return read_places(live_value(LOCKS, LOCKS_TTL, key))
end

local function write_places(key, places)
  if not next(places) then
    drop(LOCKS, LOCKS_TTL, {key})
    return
  end
  local last = 0
  for _, place in pairs(places) do last = math.max(last, end_of(place)) end
  store(LOCKS, LOCKS_TTL, {key, cjson.encode(places)}, last < math.huge and last - now() or nil)
end

-- Let the places of an owner whose lease has ended last only for their grace.
local function end_places(owner)
  if redis.call('EXISTS', LOCKS) == 0 then return end
  local all = redis.call('HGETALL', LOCKS)
  for i = 1, #all, 2 do
    local places, changed = read_places(all[i + 1]), false
    for token, place in pairs(places) do
      if place.owner == owner then
        places[token] = {['until'] = now() + place.grace, deadline = place.deadline}
        changed = true
      end
    end
    if changed then write_places(all[i], places) end
  end
end
