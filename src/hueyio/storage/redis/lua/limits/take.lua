-- Take a token from a bucket. ARGV: key, rate per second, burst. Answers 0, or the seconds until there is one.
-- The value is the time at which the bucket is full again.
-- keys: WINDOWS WINDOWS_TTL
-- parts: _areas

local rate = tonumber(ARGV[2])
local full_at = math.max(tonumber(live_value(WINDOWS, WINDOWS_TTL, ARGV[1]) or 0), now())
local wait = full_at - now() - (ARGV[3] - 1) / rate
if wait > 0.000001 then return string.format('%.17g', wait) end
full_at = full_at + 1 / rate
store(WINDOWS, WINDOWS_TTL, {ARGV[1], string.format('%.17g', full_at)}, full_at - now())
return '0'
