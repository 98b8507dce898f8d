-- Let claims return tasks again, and ring for what is there. ARGV: channel of the notices.
-- keys: PAUSED
-- parts: _held _kind

if is_other_kind() then return refuse_other_kind() end
redis.call('DEL', PAUSED)
ring_what_is_there(READY)
ring_what_is_there(SUSPECTS)
redis.pcall('PUBLISH', ARGV[1], '')
