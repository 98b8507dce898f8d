-- Read dead letters by id: (when, letter)*, nil for what is not there. ARGV: ids.
-- keys: DEAD DEAD_TIMES

local found = {}
for _, id in ipairs(ARGV) do
  found[#found + 1] = redis.call('ZSCORE', DEAD_TIMES, id)
  found[#found + 1] = redis.call('HGET', DEAD, id)
end
return found
