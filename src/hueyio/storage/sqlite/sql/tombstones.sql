-- Ids that are over.

-- name: find
SELECT substr(data, instr(data, ?) + ?, 1) FROM hueyio_ended INDEXED BY hueyio_ended_ids
WHERE queue = ? AND last >= ? AND first <= ? AND at > ? AND instr(data, ?)
ORDER BY number DESC LIMIT 1

-- name: find_late
-- The same in the newest rows only.
SELECT substr(data, instr(data, ?) + ?, 1) FROM hueyio_ended NOT INDEXED
WHERE queue = ? AND last >= ? AND first <= ? AND at > ? AND instr(data, ?)
AND number > (SELECT max(number) FROM hueyio_ended) - ?
ORDER BY number DESC LIMIT 1

-- name: add
INSERT INTO hueyio_ended (queue, total, at, count, last, first, data) VALUES (?, ?, ?, ?, ?, ?, ?)

-- name: bounds
-- How many ended until now, and the oldest row.
SELECT total, at, (SELECT max(total) FROM hueyio_ended WHERE queue = ?)
FROM hueyio_ended WHERE queue = ? ORDER BY total LIMIT 1

-- name: drop
DELETE FROM hueyio_ended WHERE number IN (
    SELECT number FROM hueyio_ended WHERE queue = ? AND (total <= ? OR at <= ?) ORDER BY total LIMIT ?
) RETURNING at

-- name: note_forgotten
UPDATE hueyio_queues SET forgotten_at = ? WHERE queue = ?

-- name: forgotten_at
SELECT forgotten_at FROM hueyio_queues WHERE queue = ?

-- name: last_too_old
SELECT max(at) FROM hueyio_ended WHERE queue = ? AND at <= ?
