-- Make latches and add tasks. ARGV: half of the ended ids to be kept, count, (id of the callback, row of the latch or a bundle
-- of it)*,
-- (id, record)*. A latch that is there, or whose callback is alive, is left alone. Answers a letter for each task, as
-- `enqueue` does, then the holders.
-- parts: _latches _kind

if is_other_kind() then return refuse_other_kind() end
half_kept = tonumber(ARGV[1])
local made, in_order, at = {}, {}, 3
for _ = 1, tonumber(ARGV[2]) do
  local key = ARGV[at]
  if redis.call('HEXISTS', TASKS, key) == 0 and redis.call('HEXISTS', EXPECTED, key) == 0 then
    drop_latch(key)  -- kept for the letter of an earlier callback
  end
  local row, stages = unbundle(ARGV[at + 1])
  if redis.call('HEXISTS', TASKS, key) == 0 and redis.call('HSETNX', LATCHES, key, row) == 1 then
    local latch = read_latch(key)
    expect_all({key}, key)
    expect_all(read_header(latch.record).expects, key)
    keep_stages(stages)
    made[key] = true
    in_order[#in_order + 1] = key
  end
  at = at + 2
end
local verdicts, holders, absent = {}, {}, {}
for i = at, #ARGV, 2 do
  local id, record = ARGV[i], ARGV[i + 1]
  local verdict, holder = add(id, record, redis.call('HEXISTS', TASKS, id) == 1)
  if holder then holders[#holders + 1] = holder end
  if verdict then
    local header = read_header((unbundle(record)))
    if made[header.latch] then absent[#absent + 1] = header end
  end
  verdicts[#verdicts + 1] = verdict or 'a'
end
write_entries()
for _, header in ipairs(absent) do take_absent_result(header) end
for _, key in ipairs(in_order) do
  local latch = read_latch(key)
  if latch and latch.size == 0 then fire(key, latch.record) end
end
write_endings()
send_post()
local answer = {table.concat(verdicts)}
for i = 1, #holders do answer[i + 1] = holders[i] end  -- there may be too many to unpack
return answer
