-- Take one of so many permits of a key. ARGV: key, token, size, lease, 'o' and the owner or '', ttl or ''.
-- Answers 1 or 0, nil if the owner has no lease.
-- keys: OWNERS
-- parts: _permits

local key, token, owner = ARGV[1], ARGV[2], ARGV[5] ~= '' and string.sub(ARGV[5], 2)
if owner and redis.call('HEXISTS', OWNERS, owner) == 0 then return false end
local permits, count = permits_of(key)
if not permits[token] and count >= tonumber(ARGV[3]) then return 0 end
local lease = tonumber(ARGV[4])
local permit = owner and {owner = owner, grace = lease} or {['until'] = now() + lease}
if ARGV[6] ~= '' then permit.deadline = now() + ARGV[6] end
permits[token] = permit
write_permits(key, permits)
return 1
