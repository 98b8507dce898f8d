-- Registrations: for which ids a client waits.

-- name: register
INSERT OR REPLACE INTO hueyio_waiting (queue, id, client, number, expires) VALUES (?, ?, ?, ?, ?)

-- name: take_back
DELETE FROM hueyio_waiting WHERE queue = ? AND id = ? AND client = ? AND number = ?

-- name: refresh
UPDATE hueyio_waiting SET expires = ? WHERE queue = ? AND client = ?

-- name: forget_client
DELETE FROM hueyio_waiting WHERE queue = ? AND client = ?
