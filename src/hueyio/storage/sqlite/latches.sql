-- Latches: chords that wait for their members, and what these reported.

-- name: make
INSERT OR IGNORE INTO hueyio_latches (queue, key, size, absent, header, data) VALUES (?, ?, ?, ?, ?, ?)

-- name: read
SELECT size, absent, header, data FROM hueyio_latches WHERE queue = ? AND key = ?

-- name: report
INSERT OR IGNORE INTO hueyio_reports (queue, key, position, value) VALUES (?, ?, ?, ?)

-- name: count_report
UPDATE hueyio_latches SET reported = reported + 1 WHERE queue = ? AND key = ? RETURNING reported >= size

-- name: reports
SELECT position, value FROM hueyio_reports WHERE queue = ? AND key = ?

-- name: drop
DELETE FROM hueyio_latches WHERE queue = ? AND key = ?

-- name: drop_reports
DELETE FROM hueyio_reports WHERE queue = ? AND key = ?

-- name: count
SELECT count(*) FROM hueyio_latches WHERE queue = ?

-- name: bound_in_queue
SELECT id, more FROM hueyio_tasks WHERE queue = ? AND state IN (0, 1) AND more IS NOT NULL

-- name: bound_in_schedule
SELECT id, more FROM hueyio_tasks WHERE queue = ? AND state = 2 AND more IS NOT NULL
