-- List tasks: (id, record)*. ARGV: the fleet, state, limit.
-- keys: TASKS SCHEDULE HELD*
-- parts: _fleet _lanes _kind _stages

if is_other_kind() then return refuse_other_kind() end
local others = strangers()
if others then return others end
local state, left = ARGV[FIRST_AFTER], tonumber(ARGV[FIRST_AFTER + 1])
local found = {}

local function list(ids)
  for i, record in ipairs(fetch('HMGET', TASKS, ids)) do
    if record and left > 0 then
      found[#found + 1] = ids[i]
      found[#found + 1] = joined(ids[i], record)
      left = left - 1
    end
  end
end

if state == 'scheduled' then
  list(redis.call('ZRANGE', SCHEDULE, 0, left - 1))
elseif state == 'running' then
  for i = 1, FLEET do list(redis.call('HKEYS', held_of(i))) end
else
  for _, queues in ipairs({SUSPECTS, READY}) do
    for _, lane in ipairs(LANES) do
      if left > 0 then list(peek_queue(queues[lane], left)) end
    end
  end
end
return {'ok', found}
