-- Letters as they are read: see `_dead`.
-- keys: DEAD DEAD_TIMES DEAD_KINDS FAILED FAILED_TIMES
-- parts: _chunks

local function cut(letter, from)
  local colon = string.find(letter, ':', from, true)
  local stop = colon + tonumber(string.sub(letter, from, colon - 1))
  return string.sub(letter, colon + 1, stop), stop + 1
end

-- Letters with ids and times of one store: {id, when, kind, name, reason, record}*. Of a dead letter of an earlier
-- hueyio kind and name are empty.
local function read_letters(store, ids, times)
  local found = {}
  local kinds = store == 'd' and fetch('HMGET', DEAD_KINDS, ids)
  for i, letter in ipairs(fetch('HMGET', store == 'd' and DEAD or FAILED, ids)) do
    if letter then
      local it, next_at = {ids[i], times[i]}, 1
      if store == 'd' then
        local kind = kinds[i] or ''
        it[3], it[4] = string.sub(kind, 1, 1), string.sub(kind, 2)
      else
        it[3] = string.sub(letter, 1, 1)
        it[4], next_at = cut(letter, 2)
      end
      it[5], next_at = cut(letter, next_at)
      it[6] = string.sub(letter, next_at)
      found[#found + 1] = it
    end
  end
  return found
end
