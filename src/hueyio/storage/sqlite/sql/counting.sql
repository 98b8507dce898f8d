-- What owners count, and what stands first in the lanes.

-- name: publish
UPDATE hueyio_owners SET info = ? WHERE queue = ? AND owner = ?

-- name: count
UPDATE hueyio_owners SET counted = ? WHERE queue = ? AND owner = ? AND counted < ?

-- name: entered
SELECT entered_loop, entered_thread, entered_process FROM hueyio_queues WHERE queue = ?

-- name: forget_entered
UPDATE hueyio_queues SET entered_loop = 0, entered_thread = 0, entered_process = 0 WHERE queue = ?

-- name: read
SELECT data FROM hueyio_counts WHERE queue = ? AND span = ? AND slot = ? AND row = ?

-- name: write
INSERT OR REPLACE INTO hueyio_counts (queue, span, slot, row, data) VALUES (?, ?, ?, ?, ?)

-- name: read_slots
SELECT slot, row, data FROM hueyio_counts
WHERE queue = ? AND span = ? AND slot BETWEEN ? AND ? AND row IN ('t', 'i', 'f', 'q') ORDER BY slot

-- name: read_tasks
SELECT slot, row, data FROM hueyio_counts
WHERE queue = ? AND span = ? AND slot BETWEEN ? AND ? AND row BETWEEN ? AND ?

-- name: listed
SELECT slot FROM hueyio_counts WHERE queue = ? AND span = ? AND slot BETWEEN ? AND ? AND row = 't' ORDER BY slot

-- name: over
SELECT slot FROM hueyio_counts WHERE queue = ? AND span = ? AND slot < ? ORDER BY slot LIMIT 1

-- name: drop
DELETE FROM hueyio_counts WHERE queue = ? AND span = ? AND slot = ?

-- name: head
SELECT id, lane, priority, eta, max_deliveries, unique_key, more
FROM hueyio_tasks WHERE queue = ? AND lane = ? AND state = 0 ORDER BY priority DESC, place LIMIT 1

-- name: lowest
SELECT priority FROM hueyio_tasks WHERE queue = ? AND lane = ? AND state = 0 ORDER BY priority LIMIT 1

-- name: head_of
SELECT id, lane, priority, eta, max_deliveries, unique_key, more
FROM hueyio_tasks WHERE queue = ? AND lane = ? AND state = 0 AND priority = ? ORDER BY place LIMIT 1
