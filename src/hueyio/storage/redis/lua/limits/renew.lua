-- Prolong a permit that has no owner. ARGV: key, token, lease. Answers 1 if it is there.
-- parts: _permits

local permits = permits_of(ARGV[1])
local permit = permits[ARGV[2]]
if not permit or permit.owner then return 0 end
permit['until'] = now() + ARGV[3]
write_permits(ARGV[1], permits)
return 1
