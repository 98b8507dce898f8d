-- Delete all failed tasks.
-- keys: LATCHES
-- parts: _dead

local ids = redis.call('EXISTS', LATCHES) == 1 and redis.call('HKEYS', FAILED) or {}
redis.call('UNLINK', FAILED, FAILED_TIMES, FAILED_SIZE)
drop_kept_latches(ids)
