-- The history, as it is read.

-- name: entries
SELECT total, at, ids, data FROM hueyio_history WHERE queue = ? AND total <= ? ORDER BY total DESC LIMIT ?

-- name: find
SELECT total, at, ids, data FROM hueyio_history WHERE queue = ? AND instr(ids, ?) ORDER BY total DESC LIMIT 1

-- name: attempts
SELECT data FROM hueyio_attempts WHERE queue = ? AND id = ? ORDER BY number
