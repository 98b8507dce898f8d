-- Begin a session: find out whether the server is able, whether the user may do all that is needed, and whether the name is
-- free for this kind of queue. It declares all keys of the queue: a server refuses a script for one key, before it runs.
-- ARGV: the class that asks, and the commands that its scripts call. Answers the version of a server that is too
-- old, else the server's time.
-- keys: *
-- parts: _kind _clock _trial

local probe = redis.pcall('SMISMEMBER', CANCELLED, '')
if probe.err then
  if not string.find(string.lower(probe.err), 'unknown', 1, true) then return refused(probe.err, 'SMISMEMBER') or probe end
  return {string.match(redis.call('INFO', 'server'), 'redis_version:([^\r\n]+)') or 'unknown'}
end
local forbidden = try('EXISTS', OWN_KIND) or try('GET', OWN_KIND)
if forbidden then return forbidden end
if is_other_kind() then
  if redis.call('EXISTS', TASKS) == 1 then return refuse_other_kind() end
  redis.call('DEL', OTHER_KIND)
end
local is_known = redis.call('EXISTS', OWN_KIND) == 1
if redis.call('GET', OWN_KIND) ~= ARGV[1] then
  local written = redis.pcall('SET', OWN_KIND, ARGV[1])
  if written.err then return refused(written.err, 'SET') or written end
end
local refused_command = refusal(ARGV, 2)
if refused_command then return refused_command end
if redis.call('EXISTS', ENDED_STATE) == 0 then
  -- What an earlier hueyio ended is not remembered.
  local known = is_known and 'forgotten' or 'opened'
  redis.pcall('HSET', ENDED_STATE, known, string.format('%.17g', now()))  -- a full server must not keep anybody out
end
return {false, string.format('%.6f', now())}
