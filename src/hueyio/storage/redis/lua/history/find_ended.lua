-- Find the latest entry that has an id. ARGV: the id with its line ends, at how many entries to look, the number of the first or
-- ''. Answers (number, entry), or the number with which to go on, or nothing.
-- parts: _history

local dropped = tonumber(redis.call('HGET', HISTORY_STATE, 'dropped') or 0)
local last = redis.call('LLEN', HISTORY) - 1
if ARGV[3] ~= '' then last = math.min(last, tonumber(ARGV[3]) - dropped) end

local function has_it(entry)
  local _, head, size = string.find(entry, '^%S+ %d+ (%d+):')
  local _, last = string.find(entry, ARGV[1], head + 1, true)
  return last and last <= head + size
end

local first = math.max(last - ARGV[2] + 1, 0)
while last >= first do
  local from = math.max(last - 19, first)
  local entries = redis.call('LRANGE', HISTORY, from, last)
  for i = #entries, 1, -1 do
    if has_it(entries[i]) then return {string.format('%d', dropped + from + i - 1), entries[i]} end
  end
  last = from - 1
end
if last < 0 then return {} end
return {string.format('%d', dropped + last)}
