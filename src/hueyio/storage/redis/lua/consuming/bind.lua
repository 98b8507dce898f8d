-- Say of large tasks that were claimed what the claim did not read (see `_claim_plain`). ARGV: (id, letter, the next stage)*: the
-- letter is b where the end of the task must look into its header, n where not, g where the record is gone; '' for no next
-- stage. Answers for each the message of the stage that comes next, or false.
-- keys: HELD STAGES
-- parts: _records

local answers = {}
for i = 1, #ARGV, 3 do
  local id, letter, next_id = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local row = redis.call('HGET', HELD, id)
  if row and letter == 'g' then redis.call('HDEL', HELD, id) end
  if row and letter == 'b' and not has(row, 'x') then redis.call('HSET', HELD, id, row .. 'x') end
  local stage = next_id ~= '' and redis.call('HGET', STAGES, next_id)
  if stage then
    local first = string.find(stage, ':', 1, true)
    stage = string.sub(stage, first + tonumber(string.sub(stage, 1, first - 1)) + 1)
  end
  answers[#answers + 1] = stage or false
end
return answers
