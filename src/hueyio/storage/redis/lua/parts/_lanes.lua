-- The ready queues and the bells. What a queue is, list or sorted set, is in its own parts and nowhere else.
-- keys: READY_LOOP READY_THREAD READY_PROCESS SUSPECTS_LOOP SUSPECTS_THREAD SUSPECTS_PROCESS
-- keys: BELL_LOOP BELL_THREAD BELL_PROCESS BELL_SCHEDULE
-- parts: _chunks _records _queue_<queue>

local LANES = {LOOP, THREAD, PROCESS}
local READY = {[LOOP] = READY_LOOP, [THREAD] = READY_THREAD, [PROCESS] = READY_PROCESS}
local SUSPECTS = {[LOOP] = SUSPECTS_LOOP, [THREAD] = SUSPECTS_THREAD, [PROCESS] = SUSPECTS_PROCESS}
local BELLS = {[LOOP] = BELL_LOOP, [THREAD] = BELL_THREAD, [PROCESS] = BELL_PROCESS}
local MOST_TOKENS = 64

-- Each token wakes one consumer. They are kept for those who listen later, but not without end.
local function ring(bell, times)
  local tokens = {}
  for i = 1, math.min(times, MOST_TOKENS - redis.call('LLEN', bell)) do tokens[i] = '1' end
  if #tokens > 0 then redis.call('RPUSH', bell, unpack(tokens)) end
end

local function any_suspects()
  return redis.call('EXISTS', SUSPECTS_LOOP, SUSPECTS_THREAD, SUSPECTS_PROCESS) > 0
end
