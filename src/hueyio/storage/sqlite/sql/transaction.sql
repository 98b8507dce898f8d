-- What a transaction asks of the queue itself, and its counters.

-- name: lease
SELECT number, answers, beat FROM hueyio_owners WHERE queue = ? AND owner = ?

-- name: place_of
SELECT place FROM hueyio_tasks WHERE queue = ? AND id = ?

-- name: is_live
SELECT 1 FROM hueyio_tasks WHERE queue = ? AND id = ?
UNION ALL
SELECT 1 FROM hueyio_expected WHERE queue = ? AND id = ?
LIMIT 1

-- name: first_eta
SELECT eta FROM hueyio_tasks WHERE queue = ? AND state = 2 ORDER BY eta LIMIT 1

-- name: any_waiting
SELECT 1 FROM hueyio_waiting WHERE queue = ? AND over = 0 LIMIT 1

-- name: any_expected
SELECT 1 FROM hueyio_expected WHERE queue = ? LIMIT 1

-- name: any_stage
SELECT 1 FROM hueyio_stages WHERE queue = ? LIMIT 1

-- name: expect
INSERT OR IGNORE INTO hueyio_expected (queue, id, namer) VALUES (?, ?, ?)

-- name: no_longer_named
DELETE FROM hueyio_expected WHERE queue = ? AND namer = ? RETURNING id

-- name: value
SELECT value FROM hueyio_keys WHERE queue = ? AND area = ? AND key = ? AND (expires IS NULL OR expires > ?)

-- part: raise
UPDATE hueyio_queues
SET place = place + ?, loop = loop + ?, thread = thread + ?, process = process + ?, schedule = schedule + ?,
    revocations = revocations + ?,
    entered_loop = entered_loop + ?, entered_thread = entered_thread + ?, entered_process = entered_process + ?
WHERE queue = ?

-- name: raise_counters
{raise}

-- name: reserve
-- The last of the reserved places, and what whoever adds tasks asks next: whether any id of the queue is expected.
{raise}
RETURNING place, EXISTS (SELECT 1 FROM hueyio_expected AS later WHERE later.queue = hueyio_queues.queue)
