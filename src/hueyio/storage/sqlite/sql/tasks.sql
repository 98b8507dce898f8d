-- Live tasks: added, written again, put back, and what rings for them.

-- name: insert
INSERT INTO hueyio_tasks (queue, id, state, lane, priority, place, eta, max_deliveries, unique_key, more, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)...
ON CONFLICT (queue, id) DO NOTHING

-- name: insert_large
INSERT INTO hueyio_tasks (queue, id, state, lane, priority, place, eta, max_deliveries, unique_key, more, data, owner)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (queue, id) DO NOTHING

-- name: holder_of_key
SELECT id FROM hueyio_tasks WHERE queue = ? AND unique_key = ?

-- name: token_seen
SELECT 1 FROM hueyio_tokens WHERE queue = ? AND token = ? AND (expires IS NULL OR expires > ?)

-- name: remember_token
INSERT OR REPLACE INTO hueyio_tokens (queue, token, expires) VALUES (?, ?, ?)

-- name: arrived
DELETE FROM hueyio_expected WHERE queue = ? AND id IN (?...)

-- name: unname_one
DELETE FROM hueyio_expected WHERE queue = ? AND id = ? AND namer = ?

-- name: rewrite
-- The same task again: a retry or a Defer. Its cancel flag and its unique key stay.
UPDATE hueyio_tasks
SET state = ?, lane = ?, priority = ?, place = ?, eta = ?, max_deliveries = ?, more = ?, data = ?,
    owner = NULL, deliveries = 0, started = ?, progress = NULL
WHERE row = ?

-- name: put_back
-- It takes its old place, which is in front of all that came after it.
UPDATE hueyio_tasks SET state = ?, deliveries = ?, owner = NULL, progress = NULL WHERE row = ?

-- name: has_ready
SELECT 1 FROM hueyio_tasks WHERE queue = ? AND lane = ? AND state = 0 LIMIT 1

-- name: any_suspect
SELECT 1 FROM hueyio_tasks WHERE queue = ? AND state = 1 LIMIT 1

-- name: suspect_lanes
SELECT DISTINCT lane FROM hueyio_tasks WHERE queue = ? AND state = 1

-- name: holds_any
SELECT 1 FROM hueyio_tasks WHERE queue = ? AND owner = ? AND state = 3 LIMIT 1
