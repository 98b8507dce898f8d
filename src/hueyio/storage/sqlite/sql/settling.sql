-- The end of runs.

-- name: in_force
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place
FROM hueyio_tasks WHERE queue = ? AND id = ? AND owner = ? AND deliveries = ? AND state = 3

-- name: remove
DELETE FROM hueyio_tasks WHERE row = ?

-- name: remove_plain
-- The fence and the release of a whole run of plain endings in one pass.
DELETE FROM hueyio_tasks INDEXED BY hueyio_task_ids
WHERE queue = ? AND owner = ? AND deliveries = 0 AND state = 3 AND more IS NULL AND id IN (?...)

-- name: settled
UPDATE hueyio_owners SET number = ?, answers = ? WHERE queue = ? AND owner = ?
