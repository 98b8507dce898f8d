-- Replace what an owner says of itself, and add what it counted. ARGV: owner, number, info, and the counts as JSON, or ''.
-- Answers 0 without a live lease. The names and groups of a slot are bounded, so this takes some milliseconds at most.
-- keys: OWNERS OWNERS_INFO OWNERS_COUNTED ENTERED
-- parts: _counted

if redis.call('HEXISTS', OWNERS, ARGV[1]) == 0 then return 0 end
redis.call('HSET', OWNERS_INFO, ARGV[1], ARGV[3])
if ARGV[4] == '' or tonumber(redis.call('HGET', OWNERS_COUNTED, ARGV[1]) or 0) >= tonumber(ARGV[2]) then return 1 end
redis.call('HSET', OWNERS_COUNTED, ARGV[1], ARGV[2])

local counted, enqueued = cjson.decode(ARGV[4]), {}
local entered = redis.call('HGETALL', ENTERED)
for i = 1, #entered, 2 do enqueued[entered[i]] = tonumber(entered[i + 1]) end
redis.call('DEL', ENTERED)

for _, span in ipairs(SPANS) do
  local number = math.floor(now() / span[1])
  local slot = string.format('%d:%d', span[1], number)
  local totals = counts_in(redis.call('HGET', COUNTS, slot .. 't'))
  local names = counts_in(redis.call('HGET', COUNTS, slot .. 'i'))
  add_all(totals, counted.totals)
  local refused = add_bounded(names, counted.names)
  local written = {slot .. 't', cjson.encode(totals), slot .. 'i', cjson.encode(names)}
  if next(counted.failures) then
    local failures = counts_in(redis.call('HGET', COUNTS, slot .. 'f'))
    add_bounded(failures, counted.failures)
    written[5], written[6] = slot .. 'f', cjson.encode(failures)
  end
  if next(enqueued) then
    local lanes = counts_in(redis.call('HGET', COUNTS, slot .. 'q'))
    add_all(lanes, enqueued)
    written[#written + 1] = slot .. 'q'
    written[#written + 1] = cjson.encode(lanes)
  end
  local others
  for name, counters in pairs(counted.tasks) do
    if refused[name] or name == OTHERS then
      others = others or counts_in(redis.call('HGET', COUNTS, slot .. 'n' .. OTHERS))
      add_all(others, counters)
    else
      local field = slot .. 'n' .. name
      local known = counts_in(redis.call('HGET', COUNTS, field))
      add_all(known, counters)
      written[#written + 1] = field
      written[#written + 1] = cjson.encode(known)
    end
  end
  if others then
    written[#written + 1] = slot .. 'n' .. OTHERS
    written[#written + 1] = cjson.encode(others)
  end
  apply('HSET', COUNTS, written)
  redis.call('ZADD', COUNT_SLOTS, (number + 1) * span[1] + span[2], slot)
end
return 1
