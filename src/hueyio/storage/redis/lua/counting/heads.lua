-- Find what is ready and first of its lane: of the highest priority, and of the lowest. Answers (id, start of its record)*.
-- keys: TASKS
-- parts: _lanes _heads_<queue> _kind

if is_other_kind() then return refuse_other_kind() end
local found = {}
for _, lane in ipairs(LANES) do
  local ids = heads(READY[lane])
  for i, record in ipairs(fetch('HMGET', TASKS, ids)) do
    if record and ids[i] ~= ids[i - 1] then
      local _, message = read_header(record)
      found[#found + 1] = ids[i]
      found[#found + 1] = string.sub(record, 1, message - 1)
    end
  end
end
return found
