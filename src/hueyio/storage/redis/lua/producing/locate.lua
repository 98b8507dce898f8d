-- Say where ids are: (state, data, whether flagged, letter of how it ended)* in the order asked. ARGV: the fleet, then ids.
-- keys: TASKS SCHEDULE EXPECTED CANCELLED RESULTS RESULTS_TTL HELD*
-- parts: _fleet _records _areas _tombstones _letters

local others = strangers()
if others then return others end

local function state_of(id)
  local record = redis.call('HGET', TASKS, id)
  if record then
    if redis.call('ZSCORE', SCHEDULE, id) then return 'scheduled', record end
    return holder_of(id) and 'running' or 'queued', record
  end
  if redis.call('HEXISTS', EXPECTED, id) == 1 then return 'expected', false end
  local kind = recall({id})[1]
  local letter = read_letters('f', {id}, {''})[1] or read_letters('d', {id}, {''})[1]
  if letter then return 'dead', letter[6], kind or letter[3] ~= '' and letter[3] end
  local result = live_value(RESULTS, RESULTS_TTL, id)
  return result and 'stored' or kind and 'ended' or 'unknown', result, kind
end

local found = {}
for i = FIRST_AFTER, #ARGV do
  local state, data, kind = state_of(ARGV[i])
  found[#found + 1] = state
  found[#found + 1] = data
  found[#found + 1] = redis.call('SISMEMBER', CANCELLED, ARGV[i])
  found[#found + 1] = kind or false
end
return {'ok', found}
