-- What looks at all owners' in-flight hashes must declare them as keys, so the caller says whose it knows: ARGV begins with
-- their count and names, and KEYS ends with their hashes. If there are others by now, the answer is who they are.
-- keys: OWNERS

local FLEET = tonumber(ARGV[1])
local FIRST_AFTER = FLEET + 2

local function strangers()
  local owners = redis.call('HKEYS', OWNERS)
  local known = {}
  for i = 1, FLEET do known[ARGV[1 + i]] = true end
  if #owners == FLEET then
    local same = true
    for _, owner in ipairs(owners) do same = same and known[owner] end
    if same then return nil end
  end
  return {'fleet', owners}
end

local function held_of(i)
  return KEYS[FIRST_HELD - 1 + i]
end

-- Which owner holds an id.
local function holder_at(id)
  for i = 1, FLEET do
    if redis.call('HEXISTS', held_of(i), id) == 1 then return i end
  end
end

-- The key of what the holder of an id holds.
local function holder_of(id)
  local at = holder_at(id)
  return at and held_of(at)
end
