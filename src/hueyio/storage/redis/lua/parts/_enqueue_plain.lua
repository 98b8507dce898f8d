-- What nearly every enqueue is: new tasks of one lane with nothing in their headers. Anything else is left untouched for what
-- follows. It stands in front of all functions, because making those costs more than this does.
-- keys: TASKS EXPECTED READY_LOOP READY_THREAD READY_PROCESS BELL_LOOP BELL_THREAD BELL_PROCESS OTHER_KIND
-- keys: ENTERED
-- parts: _push_<queue>

if #ARGV <= 1000 and redis.call('EXISTS', EXPECTED, OTHER_KIND) == 0 then
  local byte = string.byte
  local lane = byte(ARGV[2])
  local ids, seen, plain = {}, {}, lane >= 97
  for i = 1, #ARGV / 2 do
    local id = ARGV[2 * i - 1]
    if byte(ARGV[2 * i]) ~= lane or seen[id] then
      plain = false
      break
    end
    seen[id] = true
    ids[i] = id
  end
  if plain then
    local alive = redis.call('HMGET', TASKS, unpack(ids))
    for i = 1, #ids do
      if alive[i] then plain = false end
    end
  end
  if plain then
    local ready, bell = READY_LOOP, BELL_LOOP
    if lane == 116 then ready, bell = READY_THREAD, BELL_THREAD end
    if lane == 112 then ready, bell = READY_PROCESS, BELL_PROCESS end
    redis.call('HSET', TASKS, unpack(ARGV))
    push_back(ready, ids)
    redis.call('HINCRBY', ENTERED, string.char(lane), #ids)
    local tokens = {}
    for i = 1, math.min(#ids, 64 - redis.call('LLEN', bell)) do tokens[i] = '1' end
    if #tokens > 0 then redis.call('RPUSH', bell, unpack(tokens)) end
    return false
  end
end
