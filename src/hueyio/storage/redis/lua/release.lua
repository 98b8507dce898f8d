-- Give a place back. ARGV: key, token, 'o' and the owner or ''. Answers 1 if this owner held it.
-- parts: _places

local places = places_of(ARGV[1])
local place = places[ARGV[2]]
if not place or (place.owner and 'o' .. place.owner or '') ~= ARGV[3] then return 0 end
places[ARGV[2]] = nil
write_places(ARGV[1], places)
return 1
