-- Latches: chords that wait for their members, and the results of these.

-- name: make
INSERT OR IGNORE INTO hueyio_latches (queue, key, size, absent, header, data) VALUES (?, ?, ?, ?, ?, ?)

-- name: read
SELECT size, absent, header, data FROM hueyio_latches WHERE queue = ? AND key = ?

-- name: note_result
INSERT OR IGNORE INTO hueyio_reports (queue, key, position, value) VALUES (?, ?, ?, ?)

-- name: count_result
UPDATE hueyio_latches SET reported = reported + 1 WHERE queue = ? AND key = ? RETURNING reported >= size

-- name: results
SELECT position, value FROM hueyio_reports WHERE queue = ? AND key = ?

-- name: drop
DELETE FROM hueyio_latches WHERE queue = ? AND key = ?

-- name: drop_results
DELETE FROM hueyio_reports WHERE queue = ? AND key = ?

-- name: count
SELECT count(*) FROM hueyio_latches WHERE queue = ?
