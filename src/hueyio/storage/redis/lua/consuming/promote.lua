-- Move due tasks to the back of their lanes, and drop a bounded number of values and tokens whose time is over.
-- ARGV: now, limit, how much to drop of each kind, how old failed tasks may be, how much of the history is kept, and how old it may be. Answers how many were moved, when the next is due, the most that was
-- dropped of one kind, and the server's time.
-- keys: TASKS SCHEDULE ONCE SHARED
-- keys: RESULTS RESULTS_TTL DATA DATA_TTL REVOCATIONS REVOCATIONS_TTL LOCKS LOCKS_TTL WINDOWS WINDOWS_TTL
-- keys: TICKS TICKS_TTL SCHEDULES SCHEDULES_TTL
-- parts: _lanes _areas _kind _tombstones _dead _counted _history

if is_other_kind() then return refuse_other_kind() end
local sweep, most = tonumber(ARGV[3]), 0

local function over_in(deadlines)
  if redis.call('EXISTS', deadlines) == 0 then return {} end
  local over = redis.call('ZRANGEBYSCORE', deadlines, '-inf', now(), 'LIMIT', 0, sweep)
  most = math.max(most, #over)
  return over
end

local due = redis.call('ZRANGEBYSCORE', SCHEDULE, '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
local filled = {}
for i, record in ipairs(fetch('HMGET', TASKS, due)) do
  local lane = record and lane_of(record)
  if lane then
    if not filled[lane] then filled[lane] = {} end
    note_priority(due[i], record)
    table.insert(filled[lane], due[i])
  end
end
apply('ZREM', SCHEDULE, due)
for lane, ids in pairs(filled) do
  push_back(READY[lane], ids)
  ring(BELLS[lane], #ids)
end

for _, area in ipairs({
  {RESULTS, RESULTS_TTL}, {DATA, DATA_TTL}, {REVOCATIONS, REVOCATIONS_TTL}, {LOCKS, LOCKS_TTL}, {WINDOWS, WINDOWS_TTL},
  {TICKS, TICKS_TTL}, {SCHEDULES, SCHEDULES_TTL},
}) do
  drop(area[1], area[2], over_in(area[2]))
end
apply('ZREM', ONCE, over_in(ONCE))
apply('ZREM', SHARED, over_in(SHARED))
age_tombstones()
drop_slots(3)
drop_entries(tonumber(ARGV[5]), now() - ARGV[6], 100)
drop_attempts(tonumber(ARGV[5]), now() - ARGV[6], 100)
if redis.call('EXISTS', FAILED_TIMES) == 1 then
  forget_failed(redis.call('ZRANGEBYSCORE', FAILED_TIMES, '-inf', string.format('%.17g', now() - ARGV[4]), 'LIMIT', 0, 100))
end

local next_due = redis.call('ZRANGE', SCHEDULE, 0, 0, 'WITHSCORES')
return {#due, next_due[2] or false, most, string.format('%.6f', now())}
