-- Tasks that are taken back, and where an id is.

-- name: flag
UPDATE hueyio_tasks SET cancelled = 1 WHERE queue = ? AND id = ? RETURNING state

-- name: take_flagged
-- Taken from the middle, so if it is put back it needs a place in front.
UPDATE hueyio_tasks SET state = 3, owner = ?, place = ? WHERE queue = ? AND id = ?
RETURNING row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place

-- name: whereabouts
SELECT state, data, cancelled, more FROM hueyio_tasks WHERE queue = ? AND id = ?

-- name: is_expected
SELECT 1 FROM hueyio_expected WHERE queue = ? AND id = ? LIMIT 1
