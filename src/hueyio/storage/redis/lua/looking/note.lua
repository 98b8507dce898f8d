-- Append a line to the audit log: <number> <time> <line>. ARGV: how many are kept, line.
-- keys: AUDIT AUDIT_NUMBER
-- parts: _clock

local number = redis.call('INCR', AUDIT_NUMBER)
redis.call('RPUSH', AUDIT, string.format('%.0f %.6f ', number, now()) .. ARGV[2])
local surplus = redis.call('LLEN', AUDIT) - tonumber(ARGV[1])
if surplus > 0 then redis.call('LPOP', AUDIT, surplus) end
