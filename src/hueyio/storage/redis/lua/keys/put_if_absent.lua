-- Write a value unless one is there. ARGV: channel for revocations, ttl or '', key, value. Answers 1 if it was written.
-- keys: AREA AREA_TTL
-- parts: _areas _revocations

if live_value(AREA, AREA_TTL, ARGV[3]) then return 0 end
store(AREA, AREA_TTL, {ARGV[3], ARGV[4]}, tonumber(ARGV[2]))
note_write(ARGV[1])
return 1
