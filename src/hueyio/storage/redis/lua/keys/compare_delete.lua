-- Delete a key that holds exactly this. ARGV: key, value. Answers 1 if it was deleted.
-- keys: AREA AREA_TTL
-- parts: _areas

if live_value(AREA, AREA_TTL, ARGV[1]) ~= ARGV[2] then return 0 end
drop(AREA, AREA_TTL, {ARGV[1]})
return 1
