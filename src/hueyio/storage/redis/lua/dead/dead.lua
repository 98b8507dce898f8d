-- List dead letters, the latest first: (id, when, kind, name, reason, record)*. ARGV: limit, -1 for all.
-- parts: _letters

local limit = tonumber(ARGV[1])
if limit == 0 then return {} end
local listed = redis.call('ZREVRANGE', DEAD_TIMES, 0, limit - (limit < 0 and 0 or 1), 'WITHSCORES')
local ids, times, found = {}, {}, {}
for i = 1, #listed, 2 do
  ids[#ids + 1] = listed[i]
  times[#times + 1] = listed[i + 1]
end
for _, letter in ipairs(read_letters('d', ids, times)) do
  for i = 1, 6 do found[#found + 1] = letter[i] end
end
return found
