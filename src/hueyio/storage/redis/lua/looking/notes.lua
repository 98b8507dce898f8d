-- List lines of the audit log, the latest last. ARGV: limit, the number of the one before which they stand, or ''.
-- keys: AUDIT

local limit, skipped = tonumber(ARGV[1]), 0
if ARGV[2] ~= '' then
  local latest = redis.call('LRANGE', AUDIT, -1, -1)[1]
  if not latest then return {} end
  skipped = math.max(tonumber(string.match(latest, '^%d+')) - tonumber(ARGV[2]) + 1, 0)
end
return redis.call('LRANGE', AUDIT, -skipped - limit, -skipped - 1)
