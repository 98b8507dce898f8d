-- Failed tasks.

-- name: add
INSERT INTO hueyio_failed
    (queue, id, lane, priority, eta, max_deliveries, unique_key, more, reason, buried_at, kind, name, size, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: remove
DELETE FROM hueyio_failed WHERE queue = ? AND id = ? RETURNING size, id

-- name: purge
DELETE FROM hueyio_failed WHERE queue = ? AND id = ? AND buried_at < ? RETURNING size, id

-- name: drop_oldest
DELETE FROM hueyio_failed WHERE number IN (
    SELECT number FROM hueyio_failed WHERE queue = ? ORDER BY buried_at, id LIMIT ?
) RETURNING size, id

-- name: drop_old
DELETE FROM hueyio_failed WHERE number IN (
    SELECT number FROM hueyio_failed WHERE queue = ? AND buried_at <= ? ORDER BY buried_at LIMIT ?
) RETURNING size, id

-- name: clear
DELETE FROM hueyio_failed WHERE queue = ? RETURNING id

-- name: count_more
UPDATE hueyio_queues SET failed = failed + ?, failed_bytes = failed_bytes + ? WHERE queue = ?

-- name: count_none
UPDATE hueyio_queues SET failed = 0, failed_bytes = 0 WHERE queue = ?

-- name: counted
SELECT failed, failed_bytes FROM hueyio_queues WHERE queue = ?

-- name: find
SELECT number, id, lane, priority, eta, max_deliveries, unique_key, more, data, reason, buried_at, kind, name
FROM hueyio_failed WHERE queue = ? AND id = ?
