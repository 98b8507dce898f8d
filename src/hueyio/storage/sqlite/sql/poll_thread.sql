-- What one look at the file asks for.

-- name: counters
SELECT loop, thread, process, schedule, revocations, paused FROM hueyio_queues WHERE queue = ?

-- name: mail
-- Left alone, the planner takes the primary key and reads every row of the queue.
SELECT number, id, data, shared, kind FROM hueyio_waiting INDEXED BY hueyio_mail WHERE queue = ? AND client = ? AND over = 1

-- name: progress
-- A row while the id is not over; an expected one has no progress yet.
SELECT progress FROM hueyio_tasks WHERE queue = ? AND id = ?
UNION ALL
SELECT NULL FROM hueyio_expected WHERE queue = ? AND id = ?
LIMIT 1

-- name: flagged
SELECT id FROM hueyio_tasks WHERE queue = ? AND owner = ? AND cancelled = 1 AND state = 3
