-- Delete keys. ARGV: keys. Answers a letter for each: 1 if it was there, else 0.
-- keys: AREA AREA_TTL
-- parts: _areas

local deadlines = redis.call('EXISTS', AREA_TTL) == 1
local found = {}
for i, key in ipairs(ARGV) do
  local deadline = deadlines and redis.call('ZSCORE', AREA_TTL, key)
  local was_there = redis.call('HDEL', AREA, key) == 1
  found[i] = was_there and not (deadline and tonumber(deadline) <= now()) and '1' or '0'
  if deadline then redis.call('ZREM', AREA_TTL, key) end
end
return table.concat(found)
