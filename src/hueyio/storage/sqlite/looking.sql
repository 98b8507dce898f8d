-- Dead letters, questions and housekeeping.

-- name: bury
INSERT OR REPLACE INTO hueyio_dead
    (queue, id, lane, priority, eta, max_deliveries, unique_key, more, data, reason, buried_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)

-- name: count_dead
SELECT count(*) FROM hueyio_dead WHERE queue = ?

-- name: drop_oldest
DELETE FROM hueyio_dead WHERE number IN (SELECT number FROM hueyio_dead WHERE queue = ? ORDER BY number LIMIT ?)

-- name: count_dropped
UPDATE hueyio_queues SET dead_dropped = dead_dropped + ? WHERE queue = ?

-- name: dead
SELECT number, id, lane, priority, eta, max_deliveries, unique_key, more, data, reason, buried_at
FROM hueyio_dead WHERE queue = ? ORDER BY number DESC LIMIT ?

-- name: dead_letter
SELECT number, id, lane, priority, eta, max_deliveries, unique_key, more, data, reason, buried_at
FROM hueyio_dead WHERE queue = ? AND id = ?

-- name: purge
DELETE FROM hueyio_dead WHERE queue = ? AND id = ?

-- name: purge_all
DELETE FROM hueyio_dead WHERE queue = ?

-- name: count_queued
SELECT count(*) FROM hueyio_tasks WHERE queue = ? AND lane = ? AND state = 0

-- name: count_suspects
SELECT count(*) FROM hueyio_tasks WHERE queue = ? AND state = 1

-- name: count_scheduled
SELECT count(*) FROM hueyio_tasks WHERE queue = ? AND state = 2

-- name: count_running
SELECT count(*) FROM hueyio_tasks WHERE queue = ? AND state = 3

-- name: count_expected
SELECT count(DISTINCT id) FROM hueyio_expected WHERE queue = ?

-- name: count_dead_dropped
SELECT dead_dropped FROM hueyio_queues WHERE queue = ?

-- name: is_paused
SELECT paused FROM hueyio_queues WHERE queue = ?

-- name: owners
SELECT owner, beat, info,
    (SELECT count(*) FROM hueyio_tasks AS task WHERE task.queue = it.queue AND task.owner = it.owner AND task.state = 3),
    max(? - seen, 0)
FROM hueyio_owners AS it WHERE queue = ? ORDER BY owner

-- name: whereabouts
SELECT state, data, cancelled FROM hueyio_tasks WHERE queue = ? AND id = ?

-- name: is_expected
SELECT 1 FROM hueyio_expected WHERE queue = ? AND id = ? LIMIT 1

-- name: scan_suspects
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place
FROM hueyio_tasks WHERE queue = ? AND state = 1 ORDER BY priority DESC, place LIMIT ?

-- name: scan_queued
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place
FROM hueyio_tasks WHERE queue = ? AND state = 0 ORDER BY lane, priority DESC, place LIMIT ?

-- name: scan_scheduled
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place
FROM hueyio_tasks WHERE queue = ? AND state = 2 ORDER BY eta, place LIMIT ?

-- name: scan_running
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place
FROM hueyio_tasks WHERE queue = ? AND state = 3 ORDER BY priority DESC, place LIMIT ?

-- name: clear_queue
DELETE FROM hueyio_tasks WHERE queue = ? AND state IN (0, 1)

-- name: clear_schedule
DELETE FROM hueyio_tasks WHERE queue = ? AND state = 2

-- name: drop_unnamed
DELETE FROM hueyio_expected WHERE queue = ? AND NOT EXISTS (
    SELECT 1 FROM hueyio_tasks AS task WHERE task.queue = hueyio_expected.queue AND task.id = hueyio_expected.namer
) AND NOT EXISTS (
    SELECT 1 FROM hueyio_latches AS latch WHERE latch.queue = hueyio_expected.queue AND latch.key = hueyio_expected.namer
)
