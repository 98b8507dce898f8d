-- The later stages of pipelines.

-- name: keep
INSERT OR REPLACE INTO hueyio_stages (queue, id, next, data) VALUES (?, ?, ?, ?)

-- name: find
SELECT next, data FROM hueyio_stages WHERE queue = ? AND id = ?

-- name: take
DELETE FROM hueyio_stages WHERE queue = ? AND id = ? RETURNING next

-- name: unname
DELETE FROM hueyio_expected WHERE queue = ? AND id = ? AND namer = ?
