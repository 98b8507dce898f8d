-- Who is told that an id is over.

-- name: waiters
SELECT client, number FROM hueyio_waiting WHERE queue = ? AND id = ? AND over = 0

-- name: tell
UPDATE hueyio_waiting SET over = 1, shared = ?, data = ?, kind = ? WHERE queue = ? AND id = ? AND client = ?

-- name: in_vain
-- Ids that somebody waits for although nothing will come: after a clear.
SELECT DISTINCT id FROM hueyio_waiting AS waiting
WHERE queue = ? AND over = 0
AND NOT EXISTS (SELECT 1 FROM hueyio_tasks AS task WHERE task.queue = waiting.queue AND task.id = waiting.id)
AND NOT EXISTS (SELECT 1 FROM hueyio_expected AS later WHERE later.queue = waiting.queue AND later.id = waiting.id)
