-- Let claims return tasks again, and ring for what is there. ARGV: channel of the notices.
-- keys: PAUSED
-- parts: _held

redis.call('DEL', PAUSED)
ring_what_is_there(READY)
ring_what_is_there(SUSPECTS)
redis.call('PUBLISH', ARGV[1], '')
