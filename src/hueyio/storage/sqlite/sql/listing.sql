-- Lists of tasks, a part at a time. Each seeks its index: first the rest of one priority, moment or owner, then what
-- follows. One comparison for both would look at all that stands before.

-- name: suspects_same
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, substr(data, 1, :bytes) AS data, deliveries,
    started, cancelled, place, state, owner, progress
FROM hueyio_tasks WHERE queue = :queue AND state = 1 AND priority = :rank AND place > :place ORDER BY place LIMIT :limit

-- name: suspects_next
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, substr(data, 1, :bytes) AS data, deliveries,
    started, cancelled, place, state, owner, progress
FROM hueyio_tasks WHERE queue = :queue AND state = 1 AND priority < :rank ORDER BY priority DESC, place LIMIT :limit

-- name: ready_same
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, substr(data, 1, :bytes) AS data, deliveries,
    started, cancelled, place, state, owner, progress
FROM hueyio_tasks WHERE queue = :queue AND lane = :lane AND state = 0 AND priority = :rank AND place > :place
ORDER BY place LIMIT :limit

-- name: ready_next
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, substr(data, 1, :bytes) AS data, deliveries,
    started, cancelled, place, state, owner, progress
FROM hueyio_tasks WHERE queue = :queue AND lane = :lane AND state = 0 AND priority < :rank
ORDER BY priority DESC, place LIMIT :limit

-- name: scheduled_same
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, substr(data, 1, :bytes) AS data, deliveries,
    started, cancelled, place, state, owner, progress
FROM hueyio_tasks WHERE queue = :queue AND state = 2 AND eta = :rank AND place > :place ORDER BY place LIMIT :limit

-- name: scheduled_next
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, substr(data, 1, :bytes) AS data, deliveries,
    started, cancelled, place, state, owner, progress
FROM hueyio_tasks WHERE queue = :queue AND state = 2 AND eta > :rank ORDER BY eta, place LIMIT :limit

-- name: running_same
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, substr(data, 1, :bytes) AS data, deliveries,
    started, cancelled, place, state, owner, progress
FROM hueyio_tasks WHERE queue = :queue AND state = 3 AND owner = :rank AND row > :place ORDER BY row LIMIT :limit

-- name: running_next
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, substr(data, 1, :bytes) AS data, deliveries,
    started, cancelled, place, state, owner, progress
FROM hueyio_tasks WHERE queue = :queue AND state = 3 AND owner > :rank ORDER BY owner, row LIMIT :limit

-- name: task
SELECT row, id, lane, priority, eta, max_deliveries, unique_key, more, substr(data, 1, :bytes) AS data, deliveries,
    started, cancelled, place, state, owner, progress
FROM hueyio_tasks WHERE queue = :queue AND id = :id

-- name: expected
SELECT DISTINCT id FROM hueyio_expected WHERE queue = :queue AND id >= :id ORDER BY id LIMIT :limit

-- name: namers
SELECT namer FROM hueyio_expected WHERE queue = :queue AND id = :id ORDER BY namer
