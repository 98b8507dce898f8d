-- Make tasks of letters again. ARGV: (id, when it was buried, new record)*; one that was buried at another time is not what
-- the caller has read. Answers a letter for each: a added, f added but its chord has fired, l alive, t taken, m missing.
-- keys: RESULTS RESULTS_TTL LATCH_COUNTS REPORTS
-- parts: _entries _kind _tombstones _areas _dead

if is_other_kind() then return refuse_other_kind() end
local answers = {}

local function take_back(id, expects)
  drop_failed({id})
  drop_dead({id})
  local over = {id}
  for _, named in ipairs(expects) do
    if redis.call('HEXISTS', TASKS, named) == 0 then over[#over + 1] = named end
  end
  drop(RESULTS, RESULTS_TTL, over)
  forget({id})
  forget(expects)
end

-- Take the result of a chord's member back, so that its next one counts; false if the callback has been enqueued, or is
-- gone.
local function take_report_back(header)
  local key = header.latch
  if not key then return true end  -- it is no member
  if redis.call('HEXISTS', EXPECTED, key) == 0 or not read_latch(key) then return false end
  local position = key .. ':' .. string.format('%d', header.latch_index)
  if redis.call('HDEL', REPORTS, position) == 1 then redis.call('HINCRBY', LATCH_COUNTS, key, -1) end
  redis.call('HDEL', REPORTS, position .. ':id')
  return true
end

local function requeue(id, when, record)
  if (redis.call('ZSCORE', FAILED_TIMES, id) or redis.call('ZSCORE', DEAD_TIMES, id)) ~= when then return 'm' end
  local header = read_header(record)
  -- A new chord has begun under its id.
  if header.collects and redis.call('HEXISTS', EXPECTED, id) == 1 then return 'l' end
  local refusal = add(id, record, redis.call('HEXISTS', TASKS, id) == 1, true)
  if refusal then return refusal end
  take_back(id, header.expects or {})
  return take_report_back(header) and 'a' or 'f'
end

for i = 1, #ARGV, 3 do answers[#answers + 1] = requeue(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
write_entries()
return table.concat(answers)
