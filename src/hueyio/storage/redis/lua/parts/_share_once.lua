-- A result that several clients waited for: nobody deletes it, so it stays for SHARED_TTL seconds, and `shared` says so to who
-- comes late.
-- keys: RESULTS_TTL SHARED
-- parts: _clock

local SHARED_TTL = 60

local function share(id)
  local deadline, current = now() + SHARED_TTL, redis.call('ZSCORE', RESULTS_TTL, id)
  if not current or tonumber(current) > deadline then redis.call('ZADD', RESULTS_TTL, deadline, id) end
  redis.call('ZADD', SHARED, deadline, id)
end
