-- Questions and housekeeping. What ends in _to counts no further than a limit; without one the same is a third faster.

-- name: count_queued
SELECT count(*) FROM hueyio_tasks WHERE queue = ? AND lane = ? AND state = 0

-- name: count_queued_to
SELECT count(*) FROM (SELECT 1 FROM hueyio_tasks WHERE queue = ? AND lane = ? AND state = 0 LIMIT ?)

-- name: count_suspects
SELECT count(*) FROM hueyio_tasks WHERE queue = ? AND state = 1

-- name: count_suspects_to
SELECT count(*) FROM (SELECT 1 FROM hueyio_tasks WHERE queue = ? AND state = 1 LIMIT ?)

-- name: count_scheduled
SELECT count(*) FROM hueyio_tasks WHERE queue = ? AND state = 2

-- name: count_scheduled_to
SELECT count(*) FROM (SELECT 1 FROM hueyio_tasks WHERE queue = ? AND state = 2 LIMIT ?)

-- name: count_running
SELECT count(*) FROM hueyio_tasks WHERE queue = ? AND state = 3

-- name: count_running_to
SELECT count(*) FROM (SELECT 1 FROM hueyio_tasks WHERE queue = ? AND state = 3 LIMIT ?)

-- name: count_expected
SELECT count(DISTINCT id) FROM hueyio_expected WHERE queue = ?

-- name: count_expected_to
SELECT count(*) FROM (SELECT DISTINCT id FROM hueyio_expected WHERE queue = ? LIMIT ?)

-- name: count_results
SELECT count(*) FROM hueyio_keys WHERE queue = ? AND area = ? AND (expires IS NULL OR expires > ?)

-- name: count_results_to
SELECT count(*) FROM (SELECT 1 FROM hueyio_keys WHERE queue = ? AND area = ? AND (expires IS NULL OR expires > ?) LIMIT ?)

-- name: count_dead_dropped
SELECT dead_dropped FROM hueyio_queues WHERE queue = ?

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

-- name: last_in_queue
SELECT id FROM hueyio_tasks WHERE queue = ? AND state IN (0, 1) ORDER BY place DESC LIMIT ?

-- name: last_in_schedule
SELECT id FROM hueyio_tasks WHERE queue = ? AND state = 2 ORDER BY place DESC LIMIT ?

-- name: clear_queue
DELETE FROM hueyio_tasks WHERE queue = ? AND state IN (0, 1)

-- name: clear_schedule
DELETE FROM hueyio_tasks WHERE queue = ? AND state = 2

-- name: clear_area
DELETE FROM hueyio_keys WHERE queue = ? AND area = ?

-- name: drop_unnamed
DELETE FROM hueyio_expected WHERE queue = ? AND NOT EXISTS (
    SELECT 1 FROM hueyio_tasks AS task WHERE task.queue = hueyio_expected.queue AND task.id = hueyio_expected.namer
) AND NOT EXISTS (
    SELECT 1 FROM hueyio_latches AS latch WHERE latch.queue = hueyio_expected.queue AND latch.key = hueyio_expected.namer
) AND NOT EXISTS (
    SELECT 1 FROM hueyio_stages AS stage WHERE stage.queue = hueyio_expected.queue AND stage.id = hueyio_expected.namer
) RETURNING id

-- name: pause
UPDATE hueyio_queues SET paused = 2, paused_by = ?, paused_at = ? WHERE queue = ?

-- name: resume
UPDATE hueyio_queues SET paused = 0, paused_by = NULL, paused_at = NULL WHERE queue = ?

-- name: paused
SELECT paused, paused_by, paused_at FROM hueyio_queues WHERE queue = ?

-- name: note
INSERT INTO hueyio_audit (queue, at, line) VALUES (?, ?, ?)

-- name: drop_notes
DELETE FROM hueyio_audit WHERE queue = ? AND number <= (
    SELECT number FROM hueyio_audit WHERE queue = ? ORDER BY number DESC LIMIT 1 OFFSET ?
)

-- name: notes
SELECT number, at, line FROM hueyio_audit WHERE queue = ? AND number < ? ORDER BY number DESC LIMIT ?

-- name: bound_in_queue
SELECT id, more FROM hueyio_tasks WHERE queue = ? AND state IN (0, 1) AND more IS NOT NULL

-- name: bound_in_schedule
SELECT id, more FROM hueyio_tasks WHERE queue = ? AND state = 2 AND more IS NOT NULL
