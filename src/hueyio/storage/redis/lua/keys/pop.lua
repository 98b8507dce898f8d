-- Read and delete a value. ARGV: key.
-- keys: AREA AREA_TTL
-- parts: _areas

local value = live_value(AREA, AREA_TTL, ARGV[1])
if value then drop(AREA, AREA_TTL, {ARGV[1]}) end
return value
