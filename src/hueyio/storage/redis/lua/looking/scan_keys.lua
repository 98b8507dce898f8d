-- List a part of an area. ARGV: cursor, how many to look at. Answers the next cursor and (key, value)*.
-- keys: AREA AREA_TTL
-- parts: _areas

local part = redis.call('HSCAN', AREA, ARGV[1], 'COUNT', ARGV[2])
local found, all = {}, part[2]
for i = 1, #all, 2 do
  local deadline = redis.call('ZSCORE', AREA_TTL, all[i])
  if not deadline or tonumber(deadline) > now() then
    found[#found + 1] = all[i]
    found[#found + 1] = all[i + 1]
  end
end
return {part[1], found}
