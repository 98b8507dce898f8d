-- A transaction of a body's own.

-- name: queue
SELECT queue FROM hueyio_queues WHERE name = ?

-- name: mark
SAVEPOINT hueyio_body

-- name: unmark
RELEASE hueyio_body

-- name: touch
UPDATE hueyio_queues SET place = place WHERE queue = ?
