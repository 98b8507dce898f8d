-- Read letters by id: (id, when, kind, name, reason, record)*; nothing for what is not there. ARGV: ids.
-- parts: _letters

local found = {}
for _, id in ipairs(ARGV) do
  for _, store in ipairs({{'f', FAILED_TIMES}, {'d', DEAD_TIMES}}) do
    local when = redis.call('ZSCORE', store[2], id)
    local letter = when and read_letters(store[1], {id}, {when})[1]
    if letter then
      for i = 1, 6 do found[#found + 1] = letter[i] end
      break
    end
  end
end
return found
