-- Places in a sorted set, whose members of one score stand in the order of their bytes.

-- The index of the first member behind a score, or behind `is_behind` among those that have it.
local function seek(key, score, is_behind)
  local low = redis.call('ZCOUNT', key, '-inf', '(' .. score)
  local high = redis.call('ZCOUNT', key, '-inf', score)
  while low < high do
    local middle = math.floor((low + high) / 2)
    if is_behind(redis.call('ZRANGE', key, middle, middle)[1]) then high = middle else low = middle + 1 end
  end
  return low
end

-- Compare as the server does; Lua would compare as the language of the host does.
local function is_later(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then return a > b end
  end
  return #one > #other
end
