-- What nearly every claim is: no suspects anywhere, nothing redelivered, nothing cancelled. Otherwise nothing is touched here.
-- It stands in front of all functions, because making those costs more than this does.
-- keys: TASKS OWNERS DELIVERIES CANCELLED SOLITARY PAUSED HELD SUSPECTS_LOOP SUSPECTS_THREAD SUSPECTS_PROCESS
-- keys: READY_LOOP READY_THREAD READY_PROCESS BELL_LOOP BELL_THREAD BELL_PROCESS OTHER_KIND REVOCATIONS
-- parts: _take_<queue>

if ARGV[2] + ARGV[3] + ARGV[4] <= 500 and redis.call(
  'EXISTS', PAUSED, DELIVERIES, CANCELLED, SOLITARY, SUSPECTS_LOOP, SUSPECTS_THREAD, SUSPECTS_PROCESS, OTHER_KIND) == 0 then
  if redis.call('HEXISTS', OWNERS, ARGV[1]) == 0 then return false end
  local lanes = {{READY_LOOP, BELL_LOOP}, {READY_THREAD, BELL_THREAD}, {READY_PROCESS, BELL_PROCESS}}
  local ids
  for i = 1, 3 do
    local room = tonumber(ARGV[1 + i])
    if room > 0 then
      local taken = take(lanes[i][1], room)
      if #taken < room then redis.call('DEL', lanes[i][2]) end
      if not ids then
        ids = taken
      else
        for j = 1, #taken do ids[#ids + 1] = taken[j] end
      end
    end
  end
  if not ids or #ids == 0 then return {} end
  local byte, records, rows = string.byte, redis.call('HMGET', TASKS, unpack(ids)), {}
  local kept, read = {}, {}
  for i = 1, #ids do
    local record = records[i]
    if record then
      local lane, kind = byte(record, 1, 2)
      kept[#kept + 1] = ids[i]
      read[#read + 1] = record
      rows[#rows + 1] = ids[i]
      rows[#rows + 1] = lane < 97 and (kind == 98 or kind == 100) and '0x' or '0'
    end
  end
  if #kept == 0 then return {} end
  redis.call('HSET', HELD, unpack(rows))
  return {kept, read, {}, redis.call('EXISTS', REVOCATIONS)}
end
