-- Read the member results of latches. ARGV: ids of callbacks. Answers for each nothing, or the values by position.
-- parts: _latch_rows

local found = {}
for i, key in ipairs(ARGV) do
  local latch = read_latch(key)
  found[i] = latch and fetch('HMGET', REPORTS, positions(key, latch.size)) or false
end
return found
