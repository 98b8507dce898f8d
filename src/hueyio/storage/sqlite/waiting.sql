-- Waiters of results, and what a watcher looks at.

-- name: register
INSERT OR REPLACE INTO hueyio_waiting (queue, id, client, number, expires) VALUES (?, ?, ?, ?, ?)

-- name: take_back
DELETE FROM hueyio_waiting WHERE queue = ? AND id = ? AND client = ? AND number = ?

-- name: refresh
UPDATE hueyio_waiting SET expires = ? WHERE queue = ? AND client = ?

-- name: forget_client
DELETE FROM hueyio_waiting WHERE queue = ? AND client = ?

-- name: any_waiting
SELECT 1 FROM hueyio_waiting WHERE queue = ? AND over = 0 LIMIT 1

-- name: any_expected
SELECT 1 FROM hueyio_expected WHERE queue = ? LIMIT 1

-- name: waiters
SELECT client, number FROM hueyio_waiting WHERE queue = ? AND id = ? AND over = 0

-- name: tell
UPDATE hueyio_waiting SET over = 1, shared = ?, data = ? WHERE queue = ? AND id = ? AND client = ?

-- name: in_vain
-- Ids that somebody waits for although nothing will come: after a clear.
SELECT DISTINCT id FROM hueyio_waiting AS waiting
WHERE queue = ? AND over = 0
AND NOT EXISTS (SELECT 1 FROM hueyio_tasks AS task WHERE task.queue = waiting.queue AND task.id = waiting.id)
AND NOT EXISTS (SELECT 1 FROM hueyio_expected AS later WHERE later.queue = waiting.queue AND later.id = waiting.id)

-- name: mail
-- Left alone, the planner takes the primary key and reads every row of the queue.
SELECT number, id, data, shared FROM hueyio_waiting INDEXED BY hueyio_mail WHERE queue = ? AND client = ? AND over = 1

-- name: counters
SELECT loop, thread, process, schedule, revocations, paused FROM hueyio_queues WHERE queue = ?

-- name: progress
-- A row while the id is not over; an expected one has no progress yet.
SELECT progress FROM hueyio_tasks WHERE queue = ? AND id = ?
UNION ALL
SELECT NULL FROM hueyio_expected WHERE queue = ? AND id = ?
LIMIT 1

-- name: flagged
SELECT id FROM hueyio_tasks WHERE queue = ? AND owner = ? AND cancelled = 1 AND state = 3

-- name: last_place
SELECT place FROM hueyio_queues WHERE queue = ?

-- name: raise_counters
UPDATE hueyio_queues
SET place = max(place, ?), loop = loop + ?, thread = thread + ?, process = process + ?, schedule = schedule + ?,
    revocations = revocations + ?
WHERE queue = ?
