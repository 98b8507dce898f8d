-- What nearly every batch of settlements is: first deliveries that are over with at most a result, of tasks with nothing in
-- their headers, while nobody waits and nothing is cancelled, suspect or revoked. Otherwise nothing is touched here.
-- It stands in front of all functions, because making those costs more than this does. So the turn of the
-- tombstones ends elsewhere.
-- keys: OWNERS_ANSWERS TASKS HELD RESULTS RESULTS_TTL CANCELLED SHARED WAITING
-- keys: SUSPECTS_LOOP SUSPECTS_THREAD SUSPECTS_PROCESS REVOCATIONS
-- keys: ENDED_ONE ENDED_TWO ENDED_KINDS_ONE ENDED_KINDS_TWO ENDED_STATE

local plain_count = tonumber(ARGV[5])
local keeps = ARGV[7] ~= '0'
local ended = keeps and redis.call('HMGET', ENDED_STATE, 'turn', 'count')
local told_before = redis.call('HGET', OWNERS_ANSWERS, ARGV[1])
if told_before and plain_count > 0 and plain_count <= 500
  and tonumber(string.match(told_before, '^%d+')) < tonumber(ARGV[2])
  and (not keeps or ended[2] and tonumber(ended[2]) < tonumber(ARGV[7]))
  and redis.call('EXISTS', CANCELLED, SHARED, WAITING, SUSPECTS_LOOP, SUSPECTS_THREAD, SUSPECTS_PROCESS, REVOCATIONS) == 0 then
  local rows = redis.call('HMGET', HELD, unpack(ARGV, 8, 7 + plain_count))
  local results, deadlines, lasting, nothing, seen, others = {}, {}, {}, {}, {}, {}
  local at, stored, plain, deadline = 8 + plain_count, 0, true, nil
  if ARGV[4] ~= '' then
    local time = redis.call('TIME')
    -- As text, so that it is not formatted again for each result.
    deadline = string.format('%.17g', time[1] + time[2] / 1000000 + ARGV[4])
  end
  for i = 1, plain_count do
    local id, tag = ARGV[7 + i], string.lower(ARGV[at])
    if #tag == 3 then
      others[#others + 1] = id
      others[#others + 1] = string.sub(tag, 3)
      tag = string.sub(tag, 1, 2)
    end
    if rows[i] ~= '0' or seen[id] or (tag ~= 't0' and tag ~= 'n0' and tag ~= 'r0') then
      plain = false
      break
    end
    seen[id] = true
    if tag == 'n0' then
      nothing[#nothing + 1] = id
      at = at + 1
    else
      results[stored + 1] = id
      results[stored + 2] = ARGV[at + 1]
      stored = stored + 2
      at = at + 2
      if tag == 't0' then
        deadlines[#deadlines + 1] = deadline
        deadlines[#deadlines + 1] = id
      else
        lasting[#lasting + 1] = id
      end
    end
  end
  if plain then
    redis.call('HDEL', HELD, unpack(ARGV, 8, 7 + plain_count))
    redis.call('HDEL', TASKS, unpack(ARGV, 8, 7 + plain_count))
    if stored > 0 then redis.call('HSET', RESULTS, unpack(results)) end
    if #deadlines > 0 then redis.call('ZADD', RESULTS_TTL, unpack(deadlines)) end
    if #lasting > 0 then redis.call('ZREM', RESULTS_TTL, unpack(lasting)) end
    if #nothing > 0 then
      redis.call('HDEL', RESULTS, unpack(nothing))
      redis.call('ZREM', RESULTS_TTL, unpack(nothing))
    end
    if keeps then
      local first = ended[1] == '1'
      redis.call('SADD', first and ENDED_ONE or ENDED_TWO, unpack(ARGV, 8, 7 + plain_count))
      if redis.call('EXISTS', ENDED_KINDS_ONE, ENDED_KINDS_TWO) > 0 then
        redis.call('HDEL', ENDED_KINDS_ONE, unpack(ARGV, 8, 7 + plain_count))
        redis.call('HDEL', ENDED_KINDS_TWO, unpack(ARGV, 8, 7 + plain_count))
      end
      if #others > 0 then
        redis.call('HSET', first and ENDED_KINDS_ONE or ENDED_KINDS_TWO, unpack(others))
        for i = 1, #others, 2 do
          redis.call('SREM', ENDED_ONE, others[i])
          redis.call('SREM', ENDED_TWO, others[i])
        end
      end
      redis.call('HINCRBY', ENDED_STATE, 'count', plain_count)
    end
    local answers = string.rep('a', plain_count)
    redis.call('HSET', OWNERS_ANSWERS, ARGV[1], ARGV[2] .. ':' .. answers)
    return {answers, 0}
  end
end
