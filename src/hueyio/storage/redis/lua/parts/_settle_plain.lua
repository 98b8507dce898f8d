-- What nearly every batch of settlements is: first deliveries that are over with at most a result, failures among them, of tasks with nothing in
-- their headers or of stages that the next one follows, while nothing is cancelled, suspect or revoked. Otherwise nothing is touched here.
-- It stands in front of most functions, because making those costs more than this does. So the turn of the
-- tombstones ends elsewhere.
-- keys: OWNERS_ANSWERS TASKS HELD RESULTS RESULTS_TTL CANCELLED SHARED WAITING
-- keys: SUSPECTS_LOOP SUSPECTS_THREAD SUSPECTS_PROCESS REVOCATIONS
-- keys: ENDED_ONE ENDED_TWO ENDED_KINDS_ONE ENDED_KINDS_TWO ENDED_STATE
-- keys: DEAD DEAD_TIMES DEAD_KINDS FAILED FAILED_TIMES FAILED_SIZE LATCHES
-- parts: _settle_history _next_plain _tell_plain _claim_behind

local plain_count = tonumber(ARGV[5])
local keeps = ARGV[7] ~= '0'
local ended = keeps and redis.call('HMGET', ENDED_STATE, 'turn', 'count')
local told_before = redis.call('HGET', OWNERS_ANSWERS, ARGV[1])
if told_before and plain_count > 0 and plain_count <= 500
  and tonumber(string.match(told_before, '^%d+')) < tonumber(ARGV[2])
  and (not keeps or ended[2] and tonumber(ended[2]) < tonumber(ARGV[7]))
  and redis.call('EXISTS', CANCELLED, SHARED, SUSPECTS_LOOP, SUSPECTS_THREAD, SUSPECTS_PROCESS, REVOCATIONS) == 0 then
  local rows = redis.call('HMGET', HELD, unpack(ARGV, 19, 18 + plain_count))
  local results, deadlines, lasting, nothing, seen, others, failed = {}, {}, {}, {}, {}, {}, {}
  local befores, next_ids, next_records = {}, {}, {}
  local at, stored, plain, deadline, now = 19 + plain_count, 0, true, nil, nil
  if ARGV[4] ~= '' then
    local time = redis.call('TIME')
    -- As text, so that it is not formatted again for each result.
    now = time[1] + time[2] / 1000000
    deadline = string.format('%.17g', now + ARGV[4])
  end
  for i = 1, plain_count do
    local id, tag = ARGV[18 + i], string.lower(ARGV[at])
    if #tag == 3 then
      others[#others + 1] = id
      others[#others + 1] = string.sub(tag, 3)
      tag = string.sub(tag, 1, 2)
    end
    local is_stage = tag == 's0' or tag == 'm0'
    if rows[i] ~= (is_stage and '0x' or '0') or seen[id]
      or (not is_stage and tag ~= 't0' and tag ~= 'n0' and tag ~= 'r0' and tag ~= 'f0') then
      plain = false
      break
    end
    seen[id] = true
    if tag == 'n0' or tag == 'm0' then
      nothing[#nothing + 1] = id
      at = at + 1
    else
      results[stored + 1] = id
      results[stored + 2] = ARGV[at + 1]
      stored = stored + 2
      if tag == 'f0' then
        failed[#failed + 1] = id
        for j = 2, 4 do failed[#failed + 1] = ARGV[at + j] end
        at = at + 3
      end
      at = at + 2
      if tag ~= 'r0' then
        deadlines[#deadlines + 1] = deadline
        deadlines[#deadlines + 1] = id
      else
        lasting[#lasting + 1] = id
      end
    end
    if is_stage then
      local next_id = ARGV[at]
      if seen[next_id] then
        plain = false
        break
      end
      seen[next_id] = true
      befores[#befores + 1] = id
      next_ids[#next_ids + 1] = next_id
      next_records[#next_records + 1] = ARGV[at + 1]
      at = at + 2
    end
  end
  -- What a letter gives way to may be that of a chord's callback, with which a latch goes.
  if #failed > 0 and redis.call('EXISTS', LATCHES) == 1 then plain = false end
  local next_stages, mail
  if plain and #next_ids > 0 then
    next_stages = plan_next(befores, next_ids, next_records)
    plain = next_stages ~= nil
  end
  if plain and redis.call('EXISTS', WAITING) == 1 then
    local ids, data, not_done = {unpack(ARGV, 19, 18 + plain_count)}, {}, {}
    for i = 1, #results, 2 do data[results[i]] = results[i + 1] end
    for i = 1, #others, 2 do not_done[others[i]] = true end
    mail = plan_mail(ids, data, not_done)
    plain = mail ~= nil
  end
  if plain then
    -- Failed tasks; `_dead` says what they look like.
    local grown = 0
    for i = 1, #failed, 4 do
      local id, record, message = failed[i], redis.call('HGET', TASKS, failed[i]), failed[i + 3]
      if record then
        if message ~= '' then
          local before = 1
          if string.byte(record) < 97 then
            local colon = string.find(record, ':', 3, true)
            before = colon + tonumber(string.sub(record, 3, colon - 1))
          end
          record = string.sub(record, 1, before) .. message
        end
        local letter = failed[i + 1] .. #failed[i + 2] .. ':' .. failed[i + 2] .. record
        grown = grown + #letter - #(redis.call('HGET', FAILED, id) or '')
        redis.call('HSET', FAILED, id, letter)
        redis.call('ZADD', FAILED_TIMES, string.format('%.17g', now + i / 4000000), id)
        if redis.call('HDEL', DEAD, id) == 1 then
          redis.call('ZREM', DEAD_TIMES, id)
          redis.call('HDEL', DEAD_KINDS, id)
        end
      end
    end
    if #failed > 0 then
      local size = redis.call('INCRBY', FAILED_SIZE, grown)
      local surplus = redis.call('ZCARD', FAILED_TIMES) - ARGV[8]
      while surplus > 0 or size > tonumber(ARGV[9]) do
        local oldest = redis.call('ZPOPMIN', FAILED_TIMES, 1)[1]
        if not oldest then break end
        size = redis.call('INCRBY', FAILED_SIZE, -#(redis.call('HGET', FAILED, oldest) or ''))
        redis.call('HDEL', FAILED, oldest)
        surplus = surplus - 1
      end
    end
    redis.call('HDEL', HELD, unpack(ARGV, 19, 18 + plain_count))
    redis.call('HDEL', TASKS, unpack(ARGV, 19, 18 + plain_count))
    if stored > 0 then redis.call('HSET', RESULTS, unpack(results)) end
    if #deadlines > 0 then redis.call('ZADD', RESULTS_TTL, unpack(deadlines)) end
    if #lasting > 0 then redis.call('ZREM', RESULTS_TTL, unpack(lasting)) end
    if #nothing > 0 then
      redis.call('HDEL', RESULTS, unpack(nothing))
      redis.call('ZREM', RESULTS_TTL, unpack(nothing))
    end
    if keeps then
      local first = ended[1] == '1'
      redis.call('SADD', first and ENDED_ONE or ENDED_TWO, unpack(ARGV, 19, 18 + plain_count))
      if redis.call('EXISTS', ENDED_KINDS_ONE, ENDED_KINDS_TWO) > 0 then
        redis.call('HDEL', ENDED_KINDS_ONE, unpack(ARGV, 19, 18 + plain_count))
        redis.call('HDEL', ENDED_KINDS_TWO, unpack(ARGV, 19, 18 + plain_count))
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
    if mail and #mail.ids > 0 then redis.call('HDEL', WAITING, unpack(mail.ids)) end
    if next_stages then write_next(next_stages) end
    local answers = string.rep('a', plain_count)
    redis.call('HSET', OWNERS_ANSWERS, ARGV[1], ARGV[2] .. ':' .. answers)
    write_history(answers)
    local claimed = claim_behind()
    if mail then send_mail(mail.mail) end
    return {answers, 0, claimed}
  end
end
