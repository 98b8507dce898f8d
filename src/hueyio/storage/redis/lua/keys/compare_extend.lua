-- Give a key that holds exactly this a new time to live. ARGV: key, value, ttl or ''. Answers 1 if it was done.
-- keys: AREA AREA_TTL
-- parts: _areas

if live_value(AREA, AREA_TTL, ARGV[1]) ~= ARGV[2] then return 0 end
store(AREA, AREA_TTL, {ARGV[1], ARGV[2]}, tonumber(ARGV[3]))
return 1
