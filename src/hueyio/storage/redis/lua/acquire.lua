-- Take one of so many places. ARGV: key, token, size, lease, 'o' and the owner or '', ttl or ''.
-- Answers 1 or 0, nil if the owner has no lease.
-- keys: OWNERS
-- parts: _places

local key, token, owner = ARGV[1], ARGV[2], ARGV[5] ~= '' and string.sub(ARGV[5], 2)
if owner and redis.call('HEXISTS', OWNERS, owner) == 0 then return false end
local places, count = places_of(key)
if not places[token] and count >= tonumber(ARGV[3]) then return 0 end
local lease = tonumber(ARGV[4])
local place = owner and {owner = owner, grace = lease} or {['until'] = now() + lease}
if ARGV[6] ~= '' then place.deadline = now() + ARGV[6] end
places[token] = place
write_places(key, places)
return 1
