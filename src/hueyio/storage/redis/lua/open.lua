-- Begin a session: find out whether the server is able, and whether the name is free for this kind of queue.
-- ARGV: the class that asks. Answers nil, or the version of a server that is too old.
-- keys: OWN_KIND OTHER_KIND TASKS CANCELLED ENDED_SINCE
-- parts: _kind _clock

local probe = redis.pcall('SMISMEMBER', CANCELLED, '')
if probe.err then
  if not string.find(string.lower(probe.err), 'unknown', 1, true) then return probe end
  return string.match(redis.call('INFO', 'server'), 'redis_version:([^\r\n]+)') or 'unknown'
end
if is_other_kind() then
  if redis.call('EXISTS', TASKS) == 1 then return refuse_other_kind() end
  redis.call('DEL', OTHER_KIND)
end
if redis.call('EXISTS', ENDED_SINCE) == 0 then
  -- What an earlier hueyio ended is not remembered.
  local known = redis.call('EXISTS', OWN_KIND) == 1 and 'forgotten' or 'opened'
  redis.call('HSET', ENDED_SINCE, known, string.format('%.17g', now()))
end
if redis.call('GET', OWN_KIND) ~= ARGV[1] then redis.call('SET', OWN_KIND, ARGV[1]) end
return false
