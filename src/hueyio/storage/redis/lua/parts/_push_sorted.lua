-- The back of a sorted set. What comes gets the next number of a counter; it is written with its most significant byte first,
-- so that equal scores are in the order of numbers. From MIDDLE on it goes up for the back and down for the front.
-- keys: SEQUENCE

local MIDDLE = 2 ^ 52
local scores = {}  -- id -> score, where it is not 0; filled by `note_priority`

local function push_from(number, queue, ids)
  for from = 1, #ids, 500 do
    local scored = {}
    for i = from, math.min(from + 499, #ids) do
      scored[#scored + 1] = scores[ids[i]] or 0
      scored[#scored + 1] = struct.pack('>I7', number + i) .. ids[i]
    end
    redis.call('ZADD', queue, unpack(scored))
  end
end

local function push_back(queue, ids)
  if #ids == 0 then return end
  push_from(MIDDLE + redis.call('INCRBY', SEQUENCE, #ids) - #ids, queue, ids)
end
