-- Read values. ARGV: keys. In the place of a large result stands 1, see `_large`.
-- keys: AREA AREA_TTL
-- parts: _large

local found = {}
local value_of = string.sub(AREA, -8) == ':results' and small_value or live_value
if redis.call('EXISTS', AREA_TTL) == 0 then return fetch('HMGET', AREA, ARGV) end
for i, key in ipairs(ARGV) do found[i] = value_of(AREA, AREA_TTL, key) end
return found
