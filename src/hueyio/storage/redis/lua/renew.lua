-- Prolong a place that has no owner. ARGV: key, token, lease. Answers 1 if it is there.
-- parts: _places

local places = places_of(ARGV[1])
local place = places[ARGV[2]]
if not place or place.owner then return 0 end
place['until'] = now() + ARGV[3]
write_places(ARGV[1], places)
return 1
