-- What is done to the tables of Huey's SqliteStorage, and to ours beside them, in which is what was taken.

-- name: make_aside
CREATE TABLE IF NOT EXISTS hueyio_aside (
    token TEXT PRIMARY KEY, queue TEXT NOT NULL, place TEXT NOT NULL, data BLOB NOT NULL, rank REAL NOT NULL
)

-- name: has_table
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = ?

-- name: list_queues
SELECT queue FROM task UNION SELECT queue FROM schedule UNION SELECT queue FROM kv ORDER BY 1

-- name: count_queue
SELECT count(*) FROM task WHERE queue = ?

-- name: count_schedule
SELECT count(*) FROM schedule WHERE queue = ?

-- name: page_queue
SELECT id, data FROM task WHERE queue = ? ORDER BY priority DESC, id LIMIT ? OFFSET ?

-- name: page_schedule
SELECT id, data FROM schedule WHERE queue = ? ORDER BY timestamp, id LIMIT ? OFFSET ?

-- Ids are used again by SQLite, so the message is compared too.
-- name: keep_queue
INSERT INTO hueyio_aside (token, queue, place, data, rank)
SELECT ?, queue, 'queue', data, priority FROM task WHERE id = ? AND queue = ? AND data = ?

-- name: keep_schedule
INSERT INTO hueyio_aside (token, queue, place, data, rank)
SELECT ?, queue, 'schedule', data, timestamp FROM schedule WHERE id = ? AND queue = ? AND data = ?

-- name: delete_queue
DELETE FROM task WHERE id = ?

-- name: delete_schedule
DELETE FROM schedule WHERE id = ?

-- name: list_aside
SELECT token, data FROM hueyio_aside WHERE queue = ? ORDER BY token

-- name: drop_aside
DELETE FROM hueyio_aside WHERE token = ?

-- name: give_back_queue
INSERT INTO task (queue, data, priority) SELECT queue, data, rank FROM hueyio_aside WHERE token = ? AND place = 'queue'

-- name: give_back_schedule
INSERT INTO schedule (queue, data, timestamp)
SELECT queue, data, rank FROM hueyio_aside WHERE token = ? AND place = 'schedule'

-- name: count_aside
SELECT count(*) FROM hueyio_aside

-- name: drop_table
DROP TABLE hueyio_aside

-- name: list_keys
SELECT key FROM kv WHERE queue = ?

-- name: read_key
SELECT value FROM kv WHERE queue = ? AND key = ?

-- name: delete_key
DELETE FROM kv WHERE queue = ? AND key = ?
