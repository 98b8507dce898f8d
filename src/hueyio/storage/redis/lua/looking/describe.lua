-- Say all that is known of ids: (where it is, row, letter)* in the order asked. ARGV: the fleet, how many bytes of a message
-- a row has, then ids. `_whereabouts`, `_rows` and `_letters` say what these are; without one it is empty.
-- keys: TASKS DELIVERIES EXPECTED DEAD_TIMES FAILED_TIMES HELD*
-- parts: _whereabouts _rows

local others = strangers()
if others then return others end
local bytes = tonumber(ARGV[FIRST_AFTER])
local LISTED = {queued = 'ready', scheduled = 'scheduled', running = 'running'}

local function row_of(id, state, cancelled)
  if state == 'expected' then return expected_row(id, redis.call('HGET', EXPECTED, id), bytes) end
  if not LISTED[state] then return {} end
  local holder = holder_at(id)
  local run = holder and redis.call('HGET', held_of(holder), id) or redis.call('HGET', DELIVERIES, id)
  return live_row(id, LISTED[state], redis.call('HGET', TASKS, id), run, holder and ARGV[1 + holder], cancelled, bytes)
end

local function letter_of(id)
  for _, store in ipairs({{'f', FAILED_TIMES}, {'d', DEAD_TIMES}}) do
    local when = redis.call('ZSCORE', store[2], id)
    local letter = when and read_letters(store[1], {id}, {when})[1]
    if letter then return letter end
  end
  return {}
end

local found = {}
for i = FIRST_AFTER + 1, #ARGV do
  local where = whereabouts_of(ARGV[i], live_value)
  found[#found + 1] = where
  found[#found + 1] = row_of(ARGV[i], where[1], where[3])
  found[#found + 1] = where[1] == 'dead' and letter_of(ARGV[i]) or {}
end
return {'ok', found}
