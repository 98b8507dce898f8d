-- Delete at most so many tasks that are queued or scheduled, and tell their waiters. ARGV: queue or schedule, limit,
-- half of the ended ids to be kept.
-- Answers how many were deleted; fewer than the limit: there are no more.
-- keys: SCHEDULE
-- parts: _latches _kind

if is_other_kind() then return refuse_other_kind() end
local left = tonumber(ARGV[2])
half_kept = tonumber(ARGV[3])
local ids = {}

if ARGV[1] == 'schedule' then
  ids = redis.call('ZRANGE', SCHEDULE, 0, left - 1)
  apply('ZREM', SCHEDULE, ids)
else
  for _, queues in ipairs({SUSPECTS, READY}) do
    for _, lane in ipairs(LANES) do
      local part = left > #ids and take(queues[lane], left - #ids) or {}
      for i = 1, #part do ids[#ids + 1] = part[i] end
    end
  end
end
local read = fetch('HMGET', TASKS, ids)
apply('HDEL', TASKS, ids)
apply('HDEL', DELIVERIES, ids)
for i, id in ipairs(ids) do
  if read[i] and not is_plain(read[i]) then
    local header = read_header(read[i])
    abandon(unbind(id, header))
    abandon_latch(header)
  end
  abandon({id})
end
write_endings()
send_post()
return #ids
