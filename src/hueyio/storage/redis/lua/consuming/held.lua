-- List what is under a lease. ARGV: owner. Answers nil without a lease, else deliveries.
-- A claim that nobody heard of may have left large tasks unbound (see `bind`): they are bound here.
-- keys: OWNERS HELD
-- parts: _held

if redis.call('HEXISTS', OWNERS, ARGV[1]) == 0 then return false end
local all, ids, rows = redis.call('HGETALL', HELD), {}, {}
for i = 1, #all, 2 do
  ids[#ids + 1] = all[i]
  rows[#rows + 1] = all[i + 1]
end
if #ids == 0 then return {} end
local read, writes = fetch('HMGET', TASKS, ids), {}
for i = 1, #ids do
  if read[i] and is_bound(read[i]) and not has(rows[i], 'x') then
    rows[i] = rows[i] .. 'x'
    writes[#writes + 1] = ids[i]
    writes[#writes + 1] = rows[i]
  end
end
apply('HSET', HELD, writes)
return deliver(ids, rows, read)
