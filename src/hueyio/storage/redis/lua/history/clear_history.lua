-- Forget all runs.
-- parts: _history

redis.call('UNLINK', HISTORY, HISTORY_STATE, ATTEMPTS, ATTEMPTS_ORDER)
