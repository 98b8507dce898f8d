-- List what is under a lease. ARGV: owner. Answers nil without a lease, else deliveries.
-- keys: OWNERS HELD
-- parts: _held

if redis.call('HEXISTS', OWNERS, ARGV[1]) == 0 then return false end
local all, ids, rows = redis.call('HGETALL', HELD), {}, {}
for i = 1, #all, 2 do
  ids[#ids + 1] = all[i]
  rows[#rows + 1] = all[i + 1]
end
return #ids > 0 and deliver(ids, rows, fetch('HMGET', TASKS, ids)) or {}
