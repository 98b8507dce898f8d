-- End the runs of several tasks of one owner. ARGV: owner, number, most dead letters, ttl of plain results, count, prefix,
-- half of the ended ids to be kept, most failed tasks, most bytes of them, what is for the history, the room in each lane for
-- the claim that goes with it, count ids, and then for each, in the same order, a tag and what belongs to it. A tag is a
-- letter, the deliveries, and the letter of how it ended unless it is done:
--
--   n  over, nothing stored
--   r  over with a result: the result, for ever        t  the same, with the ttl of plain results
--   N R T  the same, and the key prefix .. id of the revocations is deleted: nearly every end of a run
--   b  back to the front                                B  the same, with one delivery more
--   d  put off: the new record up to its message
--   f  over with a result that has the ttl of plain ones, and one of the failed tasks: the result, its head (see `_dead`),
--      the reason, and the message that it keeps instead of its own, or ''
--   F  the same, with the key of the revocations deleted
--   s  over with a result that has the ttl of plain ones, and the next stage of its pipeline is enqueued: the result, the
--      stage's id, its record
--   m  the same, nothing stored: the stage's id, its record
--   S M  the same, with the key of the revocations deleted
--   x  anything else: JSON (see `settle_other`), then result, intermediate, member result and (id, record)* as the JSON says
--
-- For the history: how many ids it keeps, ids of ended tasks with line ends around each, what is known of them, how many, where they
-- stand among the settlements, from 0, and how many attempts; at the very end
-- (place, what is known of it)* of the attempts.
--
-- Answers a letter for each (a accepted, f fired, s stale, u untaken), how many dead letters were dropped, and what was claimed
-- (see `_claim_behind`). A repeat of the last number gets the first answer, and claims nothing.
-- keys: OWNERS_ANSWERS HELD OTHER_KIND
-- keys: RESULTS DATA DATA_TTL REVOCATIONS REVOCATIONS_TTL LOCKS LOCKS_TTL WINDOWS WINDOWS_TTL
-- keys: TICKS TICKS_TTL SCHEDULES SCHEDULES_TTL
-- parts: _endings _entries _dead _latches
-- first: _settle_plain

local owner, number, dead_limit, plain_ttl = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local count = tonumber(ARGV[5])
local prefix, unrevoked = ARGV[6], {}
half_kept = tonumber(ARGV[7])
local keep_failed, failed_bytes = tonumber(ARGV[8]), tonumber(ARGV[9])
local FIRST_ID, at = 19, 19 + tonumber(ARGV[5])
local AREAS = {
  results = {RESULTS, RESULTS_TTL}, data = {DATA, DATA_TTL}, revocations = {REVOCATIONS, REVOCATIONS_TTL},
  locks = {LOCKS, LOCKS_TTL}, windows = {WINDOWS, WINDOWS_TTL},
  ticks = {TICKS, TICKS_TTL}, schedules = {SCHEDULES, SCHEDULES_TTL},
}

local last = redis.call('HGET', OWNERS_ANSWERS, owner)
if not last then return {string.rep('s', count), 0, 0} end
local colon = string.find(last, ':', 1, true)
local last_number = tonumber(string.sub(last, 1, colon - 1))
if last_number == tonumber(number) then return {string.sub(last, colon + 1), 0, 0} end
if last_number > tonumber(number) then return {string.rep('s', count), 0, 0} end

local ids = {}
for i = 1, count do ids[i] = ARGV[FIRST_ID - 1 + i] end
local rows = fetch('HMGET', HELD, ids)
local flagged = redis.call('EXISTS', CANCELLED) == 1 and fetch('SMISMEMBER', CANCELLED, ids) or {}
local released, ended = {}, {}  -- ids to take out of HELD; those of them to take out of TASKS as well
local gone, was_suspect, was_flagged = {}, false, false

local function next_argument()
  at = at + 1
  return ARGV[at - 1]
end

local function write_released()
  apply('HDEL', HELD, released)
  apply('HDEL', TASKS, ended)
  released, ended = {}, {}
  write_endings()
end

local function release(id, row)
  gone[id] = true
  released[#released + 1] = id
  if has(row, 'q') then was_suspect = true end
  if has(row, 'p') then redis.call('HDEL', PROGRESS, id) end
end

local function end_plain(id, row, result, ttl, kind, is_kept)
  release(id, row)
  ended[#ended + 1] = id
  local record = has(row, 'x') and redis.call('HGET', TASKS, id)
  if record then abandon(unbind(id, (read_header(record)), is_kept)) end
  finish(id, result, ttl, kind)
end

local function defer(id, row, start)
  local record = redis.call('HGET', TASKS, id)
  release(id, row)
  if not record then return 's' end
  local old_header, message = read_header(record)
  write_released()
  abandon(add_again(id, old_header, start .. string.sub(record, message)))
  -- The deliveries begin anew, but a body that may have begun stays one.
  if has(row, 's') then redis.call('HSET', DELIVERIES, id, '0s') end
  write_entries()
  return 'a'
end

-- Over are the task, the ids in `also` with the stages after them, and those of which it was the last to expect them.
local function end_bound(id, header, other, result)
  local also, rows = with_later(other.also)
  for _, later in ipairs(also) do
    if redis.call('HEXISTS', TASKS, later) == 0 then
      redis.call('HDEL', EXPECTED, later)
      if rows[later] then redis.call('HDEL', STAGES, later) end
      finish(later, result, other.ttl, other.kind)
    end
  end
  abandon(unbind(id, header, other.reason ~= nil))
  finish(id, result, other.ttl, other.kind)
end

local function add_follow_ups(id, old_header, other)
  for _ = 1, other.follow_ups do
    local follow_up, record = next_argument(), next_argument()
    if follow_up == id and other.lives_on then
      abandon(add_again(id, old_header, record))
    else
      add(follow_up, record, redis.call('HEXISTS', TASKS, follow_up) == 1)
    end
  end
  write_entries()
end

-- The record that a letter has: with all later stages, and with another message if there is one.
local function for_letter(id, record, message)
  if message then
    local _, from = read_header(record)
    record = string.sub(record, 1, from - 1) .. message
  end
  return joined(id, record)
end

-- {kind: a letter, ttl, reason and head (it is buried), into, again: whether it keeps another message, take, also, deletes, follow_ups: how many, lives_on, result and intermediate: whether,
-- latch: {id, position}}
local function settle_other(id, row, other)
  local result = other.result and next_argument() or nil
  local intermediate = other.intermediate and next_argument() or nil
  local member_result = other.latch and next_argument() or nil
  local again = other.again and next_argument() or nil
  local skipped = at + 2 * other.follow_ups
  if not row then
    at = skipped
    return 's'
  end
  if other.take then
    local area = AREAS[other.take[1]]
    if not live_value(area[1], area[2], other.take[2]) then
      at = skipped
      return 'u'
    end
    drop(area[1], area[2], {other.take[2]})
  end
  local record = redis.call('HGET', TASKS, id)
  if not record then  -- the server has lost it
    release(id, row)
    at = skipped
    return 's'
  end
  local header = read_header(record)
  release(id, row)
  ended[#ended + 1] = id
  write_released()
  if other.reason then
    local keep = other.into == 'failed' and bury_failed or bury
    keep(id, other.head, other.reason, for_letter(id, record, again))
  end
  if not other.lives_on and header.unique_key then
    redis.call('HDEL', UNIQUE, header.unique_key)
    header.unique_key = nil
  end
  add_follow_ups(id, header, other)
  if other.lives_on then
    if intermediate then store(RESULTS, RESULTS_TTL, {id, intermediate}, other.ttl) end
  else
    end_bound(id, header, other, result)
    write_results()
  end
  for _, key in ipairs(other.deletes) do drop(AREAS[key[1]][1], AREAS[key[1]][2], {key[2]}) end
  write_endings()
  return member_result and take_member_result(other.latch[1], other.latch[2], member_result, id) and 'f' or 'a'
end

local function settle_one(i)
  local id, tag = ids[i], next_argument()
  local letter, deliveries, ending = string.match(tag, '^(%a)(-?%d+)(%a?)$')
  local kind = string.lower(letter)
  local row = not gone[id] and rows[i]
  if row and row ~= deliveries and read_row(row) ~= tonumber(deliveries) then row = false end
  if kind == 'x' then return settle_other(id, row, cjson.decode(next_argument())) end
  if kind == 's' or kind == 'm' then
    local answer = settle_other(id, row, {kind = 'd', result = kind == 's', ttl = plain_ttl, also = {}, deletes = {}, follow_ups = 1})
    if answer == 'a' and kind ~= letter then unrevoked[#unrevoked + 1] = prefix .. id end
    return answer
  end
  local argument
  if kind ~= 'n' and kind ~= 'b' then argument = next_argument() end
  local head, reason, again
  if kind == 'f' then
    head, reason, again = next_argument(), next_argument(), next_argument()
    if again == '' then again = nil end
  end
  if not row then return 's' end
  if kind == 'f' then
    local record = redis.call('HGET', TASKS, id)
    if record then bury_failed(id, head, reason, for_letter(id, record, again)) end
  end
  if kind == 'b' then
    release(id, row)
    put_back({id}, {row}, kind == letter and 0 or 1)
  elseif kind == 'd' then
    return defer(id, row, argument)
  else
    end_plain(id, row, argument, (kind == 't' or kind == 'f') and plain_ttl or nil, ending == '' and 'd' or ending, kind == 'f')
    if kind ~= letter then unrevoked[#unrevoked + 1] = prefix .. id end
  end
  return 'a'
end

local answers = {}
for i = 1, count do
  answers[i] = settle_one(i)
  was_flagged = was_flagged or (answers[i] == 'a' or answers[i] == 'f') and flagged[i] == 1
end
write_released()
if #unrevoked > 0 and redis.call('EXISTS', REVOCATIONS) == 1 then drop(REVOCATIONS, REVOCATIONS_TTL, unrevoked) end
if was_suspect then ring_what_is_there(READY) end
-- Where another kind took the name over, all answers are stale, and the queues are not ours to measure.
if any_suspects() and redis.call('EXISTS', HELD, OTHER_KIND) == 0 then ring_what_is_there(SUSPECTS) end
local told = table.concat(answers)
redis.call('HSET', OWNERS_ANSWERS, owner, number .. ':' .. told)
local dropped = keep_bound(dead_limit)
keep_failed_bounds(keep_failed, failed_bytes)
write_history(told)
local claimed = claim_behind()
send_post()
if was_flagged then notify(HELD) end
return {told, dropped, claimed}
