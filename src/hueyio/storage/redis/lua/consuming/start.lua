-- Write that bodies are about to run. ARGV: (id, deliveries)*. Answers 1 for each receipt that is in force, else 0.
-- keys: HELD
-- parts: _records

local answers = {}
for i = 1, #ARGV, 2 do
  local row, answer = redis.call('HGET', HELD, ARGV[i]), 0
  if row then
    local deliveries, flags = read_row(row)
    if deliveries == tonumber(ARGV[i + 1]) then
      answer = 1
      if not has(flags, 's') then redis.call('HSET', HELD, ARGV[i], deliveries .. 's' .. flags) end
    end
  end
  answers[#answers + 1] = answer
end
return answers
