-- A result that several clients waited for: nobody deletes it, so it stays for SHARED_TTL seconds, and `shared` says so to who
-- comes late.
-- keys: RESULTS RESULTS_TTL SHARED
-- parts: _clock _chunks

local SHARED_TTL = 60

local function share(id)
  local deadline, current = now() + SHARED_TTL, redis.call('ZSCORE', RESULTS_TTL, id)
  if not current or tonumber(current) > deadline then redis.call('ZADD', RESULTS_TTL, deadline, id) end
  redis.call('ZADD', SHARED, deadline, id)
end

-- Let results expire after so many seconds, if they would stay longer.
local function expire_sooner(ids, ttl)
  local deadline, sooner = now() + ttl, {}
  local values = fetch('HMGET', RESULTS, ids)
  for i, id in ipairs(ids) do
    local current = values[i] and redis.call('ZSCORE', RESULTS_TTL, id)
    if values[i] and (not current or tonumber(current) > deadline) then
      sooner[#sooner + 1] = deadline
      sooner[#sooner + 1] = id
    end
  end
  apply('ZADD', RESULTS_TTL, sooner)
end
