-- Latches: chords that wait for their members, and the results of these.

-- name: make
INSERT OR IGNORE INTO hueyio_latches (queue, key, size, absent, header, data) VALUES (?, ?, ?, ?, ?, ?)

-- name: read
SELECT size, absent, header, data FROM hueyio_latches WHERE queue = ? AND key = ?

-- name: note_result
INSERT OR IGNORE INTO hueyio_reports (queue, key, position, value) VALUES (?, ?, ?, ?)

-- name: count_result
UPDATE hueyio_latches SET reported = reported + 1 WHERE queue = ? AND key = ? RETURNING reported >= size

-- name: any
SELECT 1 FROM hueyio_latches WHERE queue = ? LIMIT 1

-- name: take_back
DELETE FROM hueyio_reports WHERE queue = ? AND key = ? AND position = ?

-- name: count_back
UPDATE hueyio_latches SET reported = reported - 1 WHERE queue = ? AND key = ?

-- name: drop_member
DELETE FROM hueyio_keys WHERE queue = ? AND area = 100 AND key = ?

-- name: results
SELECT position, value FROM hueyio_reports WHERE queue = ? AND key = ?

-- name: drop
DELETE FROM hueyio_latches WHERE queue = ? AND key = ?

-- name: drop_results
DELETE FROM hueyio_reports WHERE queue = ? AND key = ?

-- The ids of members stand in an area of their own (100), each under <key of the latch>:<position>.

-- name: note_member
INSERT OR REPLACE INTO hueyio_keys (queue, area, key, value, expires) VALUES (?, 100, ?, ?, ?)

-- name: members
SELECT value FROM hueyio_keys WHERE queue = :queue AND area = 100 AND key > :first AND key < :last
    AND substr(key, length(:first) + 1) NOT GLOB '*[^0-9]*'

-- name: drop_members
DELETE FROM hueyio_keys WHERE queue = :queue AND area = 100 AND key > :first AND key < :last
    AND substr(key, length(:first) + 1) NOT GLOB '*[^0-9]*'

-- name: count
SELECT count(*) FROM hueyio_latches WHERE queue = ?
