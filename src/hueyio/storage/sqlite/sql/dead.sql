-- Dead letters, and the list of all letters.

-- name: bury
INSERT OR REPLACE INTO hueyio_dead
    (queue, id, lane, priority, eta, max_deliveries, unique_key, more, data, reason, buried_at, kind, name)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: count
SELECT count(*) FROM hueyio_dead WHERE queue = ?

-- name: drop_oldest
DELETE FROM hueyio_dead WHERE number IN (SELECT number FROM hueyio_dead WHERE queue = ? ORDER BY number LIMIT ?)
RETURNING id

-- name: count_dropped
UPDATE hueyio_queues SET dead_dropped = dead_dropped + ? WHERE queue = ?

-- name: dead
SELECT number, id, lane, priority, eta, max_deliveries, unique_key, more, data, reason, buried_at, kind, name
FROM hueyio_dead WHERE queue = ? ORDER BY number DESC LIMIT ?

-- name: letters
-- Without their messages: most of those that are looked at are not wanted.
SELECT number, id, lane, priority, eta, max_deliveries, unique_key, more, x'' AS data, reason, buried_at, kind, name
FROM hueyio_failed WHERE queue = :queue AND buried_at < :until AND (buried_at, id) < (:at, :id)
UNION ALL
SELECT number, id, lane, priority, eta, max_deliveries, unique_key, more, x'' AS data, reason, buried_at, kind, name
FROM hueyio_dead WHERE queue = :queue AND buried_at < :until AND (buried_at, id) < (:at, :id)
ORDER BY buried_at DESC, id DESC LIMIT :most

-- name: find
SELECT number, id, lane, priority, eta, max_deliveries, unique_key, more, data, reason, buried_at, kind, name
FROM hueyio_dead WHERE queue = ? AND id = ?

-- name: purge
DELETE FROM hueyio_dead WHERE queue = ? AND id = ?

-- name: purge_old
DELETE FROM hueyio_dead WHERE queue = ? AND id = ? AND buried_at < ? RETURNING id

-- name: purge_all
DELETE FROM hueyio_dead WHERE queue = ? RETURNING id
