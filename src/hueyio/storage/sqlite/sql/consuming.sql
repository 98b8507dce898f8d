-- Leases, and tasks on their way out to an owner and back.
-- The column list of a task is the same everywhere:
-- row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place

-- name: register
INSERT INTO hueyio_owners (queue, owner, info, seen) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET info = excluded.info, seen = excluded.seen

-- name: deregister
DELETE FROM hueyio_owners WHERE queue = ? AND owner = ?

-- name: beat
UPDATE hueyio_owners SET beat = beat + 1, seen = ?
WHERE queue = (SELECT queue FROM hueyio_queues WHERE name = ?) AND owner = ?

-- name: owners
SELECT owner, beat, info,
    (SELECT count(*) FROM hueyio_tasks AS task WHERE task.queue = it.queue AND task.owner = it.owner AND task.state = 3),
    max(? - seen, 0)
FROM hueyio_owners AS it WHERE queue = ? ORDER BY owner

-- name: may_claim
-- All that decides what a claim looks for: most find work in one lane, or in none.
SELECT queue.paused,
    EXISTS (
        SELECT 1 FROM hueyio_tasks AS task WHERE task.queue = lease.queue AND task.owner = lease.owner
        AND task.state = 3 AND task.deliveries > 0 AND task.max_deliveries - task.deliveries = 1
    ),
    EXISTS (SELECT 1 FROM hueyio_tasks AS task WHERE task.queue = lease.queue AND task.state = 1),
    queue.loop, queue.thread, queue.process,
    EXISTS (SELECT 1 FROM hueyio_tasks AS task WHERE task.queue = lease.queue AND task.lane = 0 AND task.state = 0),
    EXISTS (SELECT 1 FROM hueyio_tasks AS task WHERE task.queue = lease.queue AND task.lane = 1 AND task.state = 0),
    EXISTS (SELECT 1 FROM hueyio_tasks AS task WHERE task.queue = lease.queue AND task.lane = 2 AND task.state = 0)
FROM hueyio_owners AS lease JOIN hueyio_queues AS queue ON queue.queue = lease.queue
WHERE lease.queue = ? AND lease.owner = ?

-- name: claim_lane
-- RETURNING keeps no order: the caller sorts again. Where the first is large it is the only one, so that the caller may stop.
UPDATE hueyio_tasks SET state = 3, owner = ?
WHERE row IN (
    SELECT row FROM hueyio_tasks WHERE queue = ? AND lane = ? AND state = 0 ORDER BY priority DESC, place
    LIMIT CASE WHEN (
        SELECT length(data) FROM hueyio_tasks WHERE queue = ? AND lane = ? AND state = 0
        ORDER BY priority DESC, place LIMIT 1
    ) > ? THEN 1 ELSE ? END
)
RETURNING row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place

-- name: claim_suspect
-- Its place is in front from now on: if it kills once more, it goes to its lane to be buried next.
UPDATE hueyio_tasks SET state = 3, owner = ?, place = ?
WHERE row IN (
    SELECT row FROM hueyio_tasks
    WHERE queue = ? AND state = 1 AND lane IN (?, ?, ?) ORDER BY priority DESC, place LIMIT 1
)
RETURNING row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place

-- name: whether_ready
SELECT state, lane FROM hueyio_tasks WHERE queue = ? AND id = ? AND state IN (0, 1)

-- name: claim_one
-- Taken from the middle, so if it is put back it needs a place in front.
UPDATE hueyio_tasks SET state = 3, owner = ?, place = ? WHERE queue = ? AND id = ?
RETURNING row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place

-- name: held
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place
FROM hueyio_tasks WHERE queue = ? AND owner = ? AND state = 3 ORDER BY priority DESC, place

-- name: start
UPDATE hueyio_tasks SET started = 1 WHERE queue = ? AND id = ? AND owner = ? AND deliveries = ? AND state = 3

-- name: report
UPDATE hueyio_tasks SET progress = ? WHERE queue = ? AND id = ? AND owner = ? AND deliveries = ? AND state = 3

-- name: due
SELECT row, lane FROM hueyio_tasks WHERE queue = ? AND state = 2 AND eta <= ? ORDER BY eta, place LIMIT ?

-- name: make_ready
UPDATE hueyio_tasks SET state = 0, place = ? WHERE row = ?
