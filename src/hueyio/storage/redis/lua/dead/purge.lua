-- Delete letters of one store: the ids in ARGV, or all. ARGV: dead or failed, before when these were buried, or '', ids.
-- Answers how many.
-- keys: LATCHES
-- parts: _dead

local is_failed, until_time = ARGV[1] == 'failed', ARGV[2]
local letters = is_failed and FAILED or DEAD
local times = is_failed and FAILED_TIMES or DEAD_TIMES
if #ARGV == 2 then
  local count = redis.call('HLEN', letters)
  local ids = redis.call('EXISTS', LATCHES) == 1 and redis.call('HKEYS', letters) or {}
  redis.call('UNLINK', letters, times, is_failed and FAILED_SIZE or DEAD_KINDS)
  drop_kept_latches(ids)
  return count
end
local ids = {}
for i = 3, #ARGV do
  local time = redis.call('ZSCORE', times, ARGV[i])
  if time and (until_time == '' or tonumber(time) < tonumber(until_time)) then ids[#ids + 1] = ARGV[i] end
end
local count = is_failed and drop_failed(ids) or drop_dead(ids)
drop_kept_latches(ids)
return count
