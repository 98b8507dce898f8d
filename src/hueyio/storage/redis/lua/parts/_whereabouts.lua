-- Where an id is. `read` is how a result is read: `live_value`, or what takes its place.
-- keys: TASKS SCHEDULE EXPECTED CANCELLED RESULTS RESULTS_TTL HELD*
-- parts: _fleet _records _areas _tombstones _letters _stages

local function state_of(id, read)
  local record = redis.call('HGET', TASKS, id)
  if record then
    record = joined(id, record)
    if redis.call('ZSCORE', SCHEDULE, id) then return 'scheduled', record end
    return holder_of(id) and 'running' or 'queued', record
  end
  if redis.call('HEXISTS', EXPECTED, id) == 1 then return 'expected', false end
  local kind = recall({id})[1]
  local letter = read_letters('f', {id}, {''})[1] or read_letters('d', {id}, {''})[1]
  if letter then return 'dead', letter[6], kind or letter[3] ~= '' and letter[3] end
  local result = read(RESULTS, RESULTS_TTL, id)
  return result and 'stored' or kind and 'ended' or 'unknown', result, kind
end

-- {state, data, whether flagged, letter of how it ended}; no nil among them.
local function whereabouts_of(id, read)
  local state, data, kind = state_of(id, read)
  return {state, data or false, redis.call('SISMEMBER', CANCELLED, id), kind or false}
end
