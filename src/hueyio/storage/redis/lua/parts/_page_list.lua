-- A part of a list of ids. A place is an index and the id that stood there. What is claimed goes from the front, so by now
-- that id stands nearer to it; what is put back comes to the front, so it may stand a little further.
-- parts: _chunks

local BACK, MOST_BACK = 100, 20000

local function behind(queue, index, id)
  local stop = index + BACK
  while stop >= 0 and stop > index - MOST_BACK do
    local start = math.max(stop - CHUNK + 1, 0)
    local ids = redis.call('LRANGE', queue, start, stop)
    for i = #ids, 1, -1 do
      if ids[i] == id then return start + i end
    end
    stop = start - 1
  end
  return stop < 0 and 0 or index + 1  -- it is gone, most likely with all before it; or it is not known where it is
end

-- At most `count` ids and their places, which are an index each: the ids stand beside them.
local function stand(queue, after, count)
  local from = after and behind(queue, tonumber(after[1]), after[2]) or 0
  local ids, places = redis.call('LRANGE', queue, from, from + count - 1), {}
  for i = 1, #ids do places[i] = from + i - 1 end
  return ids, places
end
