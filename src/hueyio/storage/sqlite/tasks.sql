-- Tasks on their way in, out of the lanes, and back. The column list of a task is the same everywhere:
-- row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place

-- name: insert
INSERT INTO hueyio_tasks (queue, id, state, lane, priority, place, eta, max_deliveries, unique_key, more, data)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (queue, id) DO NOTHING

-- name: place_of
SELECT place FROM hueyio_tasks WHERE queue = ? AND id = ?

-- name: holder_of_key
SELECT id FROM hueyio_tasks WHERE queue = ? AND unique_key = ?

-- name: token_seen
SELECT 1 FROM hueyio_tokens WHERE queue = ? AND token = ? AND (expires IS NULL OR expires > ?)

-- name: remember_token
INSERT OR REPLACE INTO hueyio_tokens (queue, token, expires) VALUES (?, ?, ?)

-- name: rewrite
-- The same task again: a retry or a Defer. Its cancel flag and its unique key stay.
UPDATE hueyio_tasks
SET state = ?, lane = ?, priority = ?, place = ?, eta = ?, max_deliveries = ?, more = ?, data = ?,
    owner = NULL, deliveries = 0, started = 0, progress = NULL
WHERE row = ?

-- name: first_eta
SELECT eta FROM hueyio_tasks WHERE queue = ? AND state = 2 ORDER BY eta LIMIT 1

-- name: expect
INSERT OR IGNORE INTO hueyio_expected (queue, id, namer) VALUES (?, ?, ?)

-- name: arrived
DELETE FROM hueyio_expected WHERE queue = ? AND id = ?

-- name: no_longer_named
DELETE FROM hueyio_expected WHERE queue = ? AND namer = ? RETURNING id

-- name: is_live
SELECT 1 FROM hueyio_tasks WHERE queue = ? AND id = ?
UNION ALL
SELECT 1 FROM hueyio_expected WHERE queue = ? AND id = ?
LIMIT 1

-- name: claim_lane
-- RETURNING keeps no order: the caller sorts again.
UPDATE hueyio_tasks SET state = 3, owner = ?
WHERE row IN (
    SELECT row FROM hueyio_tasks WHERE queue = ? AND lane = ? AND state = 0 ORDER BY priority DESC, place LIMIT ?
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

-- name: flag
UPDATE hueyio_tasks SET cancelled = 1 WHERE queue = ? AND id = ? RETURNING state

-- name: take_flagged
-- Taken from the middle, so if it is put back it needs a place in front.
UPDATE hueyio_tasks SET state = 3, owner = ?, place = ? WHERE queue = ? AND id = ?
RETURNING row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place

-- name: holds_any
SELECT 1 FROM hueyio_tasks WHERE queue = ? AND owner = ? AND state = 3 LIMIT 1

-- name: holds_suspect
SELECT 1 FROM hueyio_tasks
WHERE queue = ? AND owner = ? AND state = 3 AND deliveries > 0 AND max_deliveries - deliveries = 1 LIMIT 1

-- name: any_suspect
SELECT 1 FROM hueyio_tasks WHERE queue = ? AND state = 1 LIMIT 1

-- name: suspect_lanes
SELECT DISTINCT lane FROM hueyio_tasks WHERE queue = ? AND state = 1

-- name: has_ready
SELECT 1 FROM hueyio_tasks WHERE queue = ? AND lane = ? AND state = 0 LIMIT 1

-- name: held
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place
FROM hueyio_tasks WHERE queue = ? AND owner = ? AND state = 3 ORDER BY priority DESC, place

-- name: in_force
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, data, deliveries, started, cancelled, place
FROM hueyio_tasks WHERE queue = ? AND id = ? AND owner = ? AND deliveries = ? AND state = 3

-- name: start
UPDATE hueyio_tasks SET started = 1 WHERE queue = ? AND id = ? AND owner = ? AND deliveries = ? AND state = 3

-- name: put_back
-- It takes its old place, which is in front of all that came after it.
UPDATE hueyio_tasks SET state = ?, deliveries = ?, owner = NULL, progress = NULL WHERE row = ?

-- name: remove
DELETE FROM hueyio_tasks WHERE row = ?

-- name: remove_plain
-- The fence and the release of a whole run of plain endings in one pass.
DELETE FROM hueyio_tasks WHERE queue = ? AND id = ? AND owner = ? AND deliveries = 0 AND state = 3 AND more IS NULL

-- name: due
SELECT row, lane FROM hueyio_tasks WHERE queue = ? AND state = 2 AND eta <= ? ORDER BY eta, place LIMIT ?

-- name: make_ready
UPDATE hueyio_tasks SET state = 0, place = ? WHERE row = ?

-- name: register
INSERT INTO hueyio_owners (queue, owner, info, seen) VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET info = excluded.info, seen = excluded.seen

-- name: lease
SELECT number, answers, beat FROM hueyio_owners WHERE queue = ? AND owner = ?

-- name: may_claim
SELECT queue.paused FROM hueyio_owners AS lease JOIN hueyio_queues AS queue ON queue.queue = lease.queue
WHERE lease.queue = ? AND lease.owner = ?

-- name: report
UPDATE hueyio_tasks SET progress = ? WHERE queue = ? AND id = ? AND owner = ? AND deliveries = ? AND state = 3

-- name: set_paused
UPDATE hueyio_queues SET paused = ? WHERE queue = ?

-- name: settled
UPDATE hueyio_owners SET number = ?, answers = ? WHERE queue = ? AND owner = ?

-- name: deregister
DELETE FROM hueyio_owners WHERE queue = ? AND owner = ?

-- name: beat
UPDATE hueyio_owners SET beat = beat + 1, seen = ?
WHERE queue = (SELECT queue FROM hueyio_queues WHERE name = ?) AND owner = ?
