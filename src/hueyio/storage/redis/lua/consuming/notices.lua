-- Read what others asked of an owner: how often revocations were written, whether the queue is paused, and the flagged ids
-- that it holds.
-- keys: CANCELLED REVOCATIONS_WRITTEN PAUSED HELD
-- parts: _chunks

local notices = {tonumber(redis.call('GET', REVOCATIONS_WRITTEN) or 0), redis.call('EXISTS', PAUSED)}
if redis.call('EXISTS', CANCELLED) == 1 then
  local flagged = redis.call('SMEMBERS', CANCELLED)
  for i, row in ipairs(fetch('HMGET', HELD, flagged)) do
    if row then notices[#notices + 1] = flagged[i] end
  end
end
return notices
