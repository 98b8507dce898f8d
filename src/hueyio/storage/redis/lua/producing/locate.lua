-- Say where ids are: (state, data, whether flagged)* in the order asked. ARGV: the fleet, then ids.
-- keys: TASKS SCHEDULE EXPECTED CANCELLED DEAD RESULTS RESULTS_TTL HELD*
-- parts: _fleet _records _areas

local others = strangers()
if others then return others end

local function state_of(id)
  local record = redis.call('HGET', TASKS, id)
  if record then
    if redis.call('ZSCORE', SCHEDULE, id) then return 'scheduled', record end
    return holder_of(id) and 'running' or 'queued', record
  end
  if redis.call('HEXISTS', EXPECTED, id) == 1 then return 'expected', false end
  local letter = redis.call('HGET', DEAD, id)
  if letter then return 'dead', letter end
  local result = live_value(RESULTS, RESULTS_TTL, id)
  return result and 'stored' or 'unknown', result
end

local found = {}
for i = FIRST_AFTER, #ARGV do
  local state, data = state_of(ARGV[i])
  found[#found + 1] = state
  found[#found + 1] = data
  found[#found + 1] = redis.call('SISMEMBER', CANCELLED, ARGV[i])
end
return {'ok', found}
