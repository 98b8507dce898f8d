-- Keep the progress of a running task, mark its in-flight row with p, tell the followers. ARGV: id, deliveries, channel,
-- data. Answers whether the receipt is in force.
-- keys: HELD PROGRESS
-- parts: _records

local id, row = ARGV[1], redis.call('HGET', HELD, ARGV[1])
if not row then return 0 end
local deliveries, flags = read_row(row)
if deliveries ~= tonumber(ARGV[2]) then return 0 end
if not has(flags, 'p') then redis.call('HSET', HELD, id, deliveries .. flags .. 'p') end
redis.call('HSET', PROGRESS, id, ARGV[4])
redis.pcall('PUBLISH', ARGV[3], ARGV[4])
return 1
