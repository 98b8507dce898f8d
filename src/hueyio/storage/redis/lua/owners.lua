-- List the owners: (owner, beat, info, held)*. ARGV: the fleet.
-- keys: OWNERS_INFO HELD*
-- parts: _fleet

local others = strangers()
if others then return others end
local found = {}
for i = 1, FLEET do
  found[#found + 1] = ARGV[1 + i]
  found[#found + 1] = redis.call('HGET', OWNERS, ARGV[1 + i])
  found[#found + 1] = redis.call('HGET', OWNERS_INFO, ARGV[1 + i])
  found[#found + 1] = redis.call('HLEN', held_of(i))
end
return {'ok', found}
