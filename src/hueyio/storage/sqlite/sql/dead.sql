-- Dead letters.

-- name: bury
INSERT OR REPLACE INTO hueyio_dead
    (queue, id, lane, priority, eta, max_deliveries, unique_key, more, data, reason, buried_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: count
SELECT count(*) FROM hueyio_dead WHERE queue = ?

-- name: drop_oldest
DELETE FROM hueyio_dead WHERE number IN (SELECT number FROM hueyio_dead WHERE queue = ? ORDER BY number LIMIT ?)

-- name: count_dropped
UPDATE hueyio_queues SET dead_dropped = dead_dropped + ? WHERE queue = ?

-- name: dead
SELECT number, id, lane, priority, eta, max_deliveries, unique_key, more, data, reason, buried_at
FROM hueyio_dead WHERE queue = ? ORDER BY number DESC LIMIT ?

-- name: find
SELECT number, id, lane, priority, eta, max_deliveries, unique_key, more, data, reason, buried_at
FROM hueyio_dead WHERE queue = ? AND id = ?

-- name: purge
DELETE FROM hueyio_dead WHERE queue = ? AND id = ?

-- name: purge_all
DELETE FROM hueyio_dead WHERE queue = ?
