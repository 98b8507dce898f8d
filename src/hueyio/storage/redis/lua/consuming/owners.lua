-- List the owners: (owner, beat, info, held, seconds since its last sign of life)*. ARGV: the fleet.
-- keys: OWNERS_INFO OWNERS_SEEN HELD*
-- parts: _fleet _clock

local others = strangers()
if others then return others end
local found = {}
for i = 1, FLEET do
  found[#found + 1] = ARGV[1 + i]
  found[#found + 1] = redis.call('HGET', OWNERS, ARGV[1 + i])
  found[#found + 1] = redis.call('HGET', OWNERS_INFO, ARGV[1 + i])
  found[#found + 1] = redis.call('HLEN', held_of(i))
  local seen = redis.call('HGET', OWNERS_SEEN, ARGV[1 + i])
  found[#found + 1] = tostring(seen and math.max(now() - seen, 0) or 0)
end
return {'ok', found}
