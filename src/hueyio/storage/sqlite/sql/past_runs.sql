-- What is remembered of runs.

-- name: bounds
-- The oldest entry, and how many tasks there were until now.
SELECT total, at, (SELECT max(total) FROM hueyio_history WHERE queue = ?)
FROM hueyio_history WHERE queue = ? ORDER BY total LIMIT 1

-- name: add
INSERT INTO hueyio_history (queue, total, at, ids, data) VALUES (?, ?, ?, ?, ?)

-- name: drop
DELETE FROM hueyio_history WHERE number IN (
    SELECT number FROM hueyio_history WHERE queue = ? AND (total <= ? OR at <= ?) ORDER BY total LIMIT ?
)

-- name: bounds_of_attempts
SELECT total, at, (SELECT max(total) FROM hueyio_attempts WHERE queue = ?)
FROM hueyio_attempts WHERE queue = ? ORDER BY total LIMIT 1

-- name: add_attempt
INSERT INTO hueyio_attempts (queue, total, at, id, data) VALUES (?, ?, ?, ?, ?)

-- name: drop_attempts
DELETE FROM hueyio_attempts WHERE number IN (
    SELECT number FROM hueyio_attempts WHERE queue = ? AND (total <= ? OR at <= ?) ORDER BY total LIMIT ?
)

-- name: drop_earlier_attempts
-- All but the last of an id.
DELETE FROM hueyio_attempts WHERE number IN (
    SELECT number FROM hueyio_attempts WHERE queue = ? AND id = ? ORDER BY number DESC LIMIT -1 OFFSET ?
)

-- name: clear
DELETE FROM hueyio_history WHERE queue = ?

-- name: clear_attempts
DELETE FROM hueyio_attempts WHERE queue = ?
