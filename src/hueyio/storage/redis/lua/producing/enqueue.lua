-- Add tasks. ARGV: (id, record)*. Answers nil if all were added, else a letter for each (a added, l alive, d done,
-- t taken) followed by the holders of the taken ones.
-- parts: _entries _kind
-- first: _enqueue_plain

if is_other_kind() then return refuse_other_kind() end
local ids, count = {}, #ARGV / 2
for i = 1, count do ids[i] = ARGV[2 * i - 1] end
local alive = fetch('HMGET', TASKS, ids)
local verdicts, holders, refused = {}, {}, false
for i = 1, count do
  local verdict, holder = add(ids[i], ARGV[2 * i], alive[i])
  if verdict then refused = true end
  if holder then holders[#holders + 1] = holder end
  verdicts[i] = verdict or 'a'
end
write_entries()
return refused and {table.concat(verdicts), unpack(holders)} or false
