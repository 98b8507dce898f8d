-- Registrations: for which ids a client waits.

-- name: register
INSERT OR REPLACE INTO hueyio_waiting (queue, id, client, number, expires) VALUES (?, ?, ?, ?, ?)

-- name: live_or_left
-- Whether an id is alive or expected, and what it has left: for most reads of a result that is there, all there is to ask.
SELECT EXISTS (SELECT 1 FROM hueyio_tasks WHERE queue = ? AND id = ?)
    OR EXISTS (SELECT 1 FROM hueyio_expected WHERE queue = ? AND id = ?),
    (SELECT value FROM hueyio_keys WHERE queue = ? AND area = ? AND key = ? AND (expires IS NULL OR expires > ?))

-- name: take_back
DELETE FROM hueyio_waiting WHERE queue = ? AND id = ? AND client = ? AND number = ?

-- name: refresh
UPDATE hueyio_waiting INDEXED BY hueyio_mail SET expires = ? WHERE queue = ? AND client = ? AND expires < ?

-- name: registered
SELECT id, number FROM hueyio_waiting INDEXED BY hueyio_mail WHERE queue = ? AND client = ?

-- name: own_in_vain
-- Ids that this client waits for although nothing is on its way.
SELECT id FROM hueyio_waiting AS waiting INDEXED BY hueyio_mail
WHERE queue = ? AND client = ? AND over = 0
AND NOT EXISTS (SELECT 1 FROM hueyio_tasks AS task WHERE task.queue = waiting.queue AND task.id = waiting.id)
AND NOT EXISTS (SELECT 1 FROM hueyio_expected AS later WHERE later.queue = waiting.queue AND later.id = waiting.id)

-- name: forget_client
DELETE FROM hueyio_waiting WHERE queue = ? AND client = ?
