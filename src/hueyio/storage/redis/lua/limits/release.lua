-- Give a permit back. ARGV: key, token, 'o' and the owner or ''. Answers 1 if this owner held it.
-- parts: _permits

local permits = permits_of(ARGV[1])
local permit = permits[ARGV[2]]
if not permit or (permit.owner and 'o' .. permit.owner or '') ~= ARGV[3] then return 0 end
permits[ARGV[2]] = nil
write_permits(ARGV[1], permits)
return 1
