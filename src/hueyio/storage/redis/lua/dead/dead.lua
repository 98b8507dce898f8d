-- List dead letters, the latest first: (id, when, letter)*. ARGV: limit, -1 for all.
-- keys: DEAD DEAD_TIMES
-- parts: _chunks

local limit = tonumber(ARGV[1])
if limit == 0 then return {} end
local listed = redis.call('ZREVRANGE', DEAD_TIMES, 0, limit - (limit < 0 and 0 or 1), 'WITHSCORES')
local ids, found = {}, {}
for i = 1, #listed, 2 do ids[#ids + 1] = listed[i] end
for i, letter in ipairs(fetch('HMGET', DEAD, ids)) do
  for _, value in ipairs({ids[i], listed[2 * i], letter}) do found[#found + 1] = value end
end
return found
