-- What nearly every wait for a task that is over finds: it is done, and its result is there. Anything else is left untouched
-- for what follows. It stands in front of all functions, because making those costs more than this does.
-- keys: TASKS EXPECTED WAITING SHARED RESULTS RESULTS_TTL ENDED_ONE ENDED_TWO

if ARGV[2] == '0' and #ARGV == 4 then
  local id = ARGV[3]
  local size = redis.call('HSTRLEN', RESULTS, id)
  if size > 0 and redis.call('HEXISTS', TASKS, id) == 0
    and (redis.call('EXISTS', EXPECTED, WAITING, SHARED) == 0 or redis.call('HEXISTS', EXPECTED, id) == 0
      and redis.call('HEXISTS', WAITING, id) == 0 and not redis.call('ZSCORE', SHARED, id))
    and (redis.call('SISMEMBER', ENDED_ONE, id) == 1 or redis.call('SISMEMBER', ENDED_TWO, id) == 1) then
    local deadline, time = redis.call('ZSCORE', RESULTS_TTL, id), redis.call('TIME')
    if not deadline or tonumber(deadline) > time[1] + time[2] / 1000000 then
      -- `register_waiter` says what this is, and `_large` what is large.
      return {id, string.sub(ARGV[4], 1, 8), 'dd', size <= 65536 and redis.call('HGET', RESULTS, id) or 1}
    end
  end
end
