-- Read what was counted of some names. ARGV: span, first, last, names. Answers (number, index of the name, JSON)*.
-- keys: COUNTS

local found = {}
for number = tonumber(ARGV[2]), tonumber(ARGV[3]) do
  local fields = {}
  for i = 4, #ARGV do fields[i - 3] = string.format('%s:%dn', ARGV[1], number) .. ARGV[i] end
  local rows = redis.call('HMGET', COUNTS, unpack(fields))
  for i = 1, #rows do
    if rows[i] then
      found[#found + 1] = number
      found[#found + 1] = i - 1
      found[#found + 1] = rows[i]
    end
  end
end
return found
