-- A part of a sorted set of ids. A place is the score and the number of a member: see `_push_sorted`.
-- parts: _seek

local function number_of(member)
  return (struct.unpack('>I7', member))
end

-- At most `count` ids and their places.
local function stand(queue, after, count)
  local from = 0
  if after then
    local number = tonumber(after[2])
    from = seek(queue, after[1], function(member) return number_of(member) > number end)
  end
  local members = redis.call('ZRANGE', queue, from, from + count - 1, 'WITHSCORES')
  local ids, places = {}, {}
  for i = 1, #members, 2 do
    ids[#ids + 1] = string.sub(members[i], 8)
    places[#places + 1] = members[i + 1] .. ' ' .. string.format('%.0f', number_of(members[i]))
  end
  return ids, places
end
