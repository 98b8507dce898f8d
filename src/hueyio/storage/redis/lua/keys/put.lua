-- Write values. ARGV: channel for revocations, ttl or '', (key, value)*.
-- keys: AREA AREA_TTL
-- parts: _areas _revocations

local items = {}
for i = 3, #ARGV do items[i - 2] = ARGV[i] end
store(AREA, AREA_TTL, items, tonumber(ARGV[2]))
note_write(ARGV[1])
