-- Add to a counter. ARGV: channel for revocations, ttl or '' (for a new one), key, amount. Answers the sum as text, or nil
-- if the key holds no number.
-- keys: AREA AREA_TTL
-- parts: _areas _revocations

local is_new = not live_value(AREA, AREA_TTL, ARGV[3])
local sum = redis.pcall('HINCRBY', AREA, ARGV[3], ARGV[4])
if type(sum) == 'table' then return false end
if is_new and ARGV[2] ~= '' then redis.call('ZADD', AREA_TTL, now() + tonumber(ARGV[2]), ARGV[3]) end
note_write(ARGV[1])
return redis.call('HGET', AREA, ARGV[3])
