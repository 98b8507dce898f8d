-- List entries, the latest first. ARGV: of how many ids, at how many entries to look, the number of the first or ''. Answers
-- (number, entry)*, and before them the number of the one that follows, or ''.
-- parts: _history

local left, most = tonumber(ARGV[1]), tonumber(ARGV[2])
local dropped = tonumber(redis.call('HGET', HISTORY_STATE, 'dropped') or 0)
local at = redis.call('LLEN', HISTORY) - 1
if ARGV[3] ~= '' then at = math.min(at, tonumber(ARGV[3]) - dropped) end
local found = {''}
while at >= 0 do
  local number = string.format('%d', dropped + at)
  if left <= 0 or #found > 2 * most then
    found[1] = number
    return found
  end
  local entry = redis.call('LRANGE', HISTORY, at, at)[1]
  left = left - string.match(entry, '^%S+ (%d+)')
  found[#found + 1] = number
  found[#found + 1] = entry
  at = at - 1
end
return found
