-- Read values. ARGV: keys.
-- keys: AREA AREA_TTL
-- parts: _areas

local found = {}
if redis.call('EXISTS', AREA_TTL) == 0 then return fetch('HMGET', AREA, ARGV) end
for i, key in ipairs(ARGV) do found[i] = live_value(AREA, AREA_TTL, key) end
return found
