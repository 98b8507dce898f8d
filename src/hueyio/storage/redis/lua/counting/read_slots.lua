-- Read slots. ARGV: span, first, last. Answers (number, totals, names, failures, enqueued)* of those that there are, as JSON.
-- keys: COUNTS

local found = {}
for number = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  local slot = string.format('%s:%d', ARGV[1], number)
  local parts = redis.call('HMGET', COUNTS, slot .. 't', slot .. 'i', slot .. 'f', slot .. 'q')
  if parts[1] then
    found[#found + 1] = number
    for i = 1, 4 do found[#found + 1] = parts[i] end
  end
end
return found
