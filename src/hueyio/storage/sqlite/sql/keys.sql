-- Results, small values and tokens, and what sweeps them. A row whose time is over counts as absent everywhere.

-- name: put
INSERT OR REPLACE INTO hueyio_keys (queue, area, key, value, expires) VALUES (?, ?, ?, ?, ?)...

-- name: any_in_area
SELECT 1 FROM hueyio_keys WHERE queue = ? AND area = ? LIMIT 1

-- name: delete
DELETE FROM hueyio_keys WHERE queue = ? AND area = ? AND (expires IS NULL OR expires > ?) AND key IN (?...)

-- name: replace_value
UPDATE hueyio_keys SET value = ? WHERE queue = ? AND area = ? AND key = ?

-- name: extend
UPDATE hueyio_keys SET expires = ? WHERE queue = ? AND area = ? AND key = ?

-- name: shorten
UPDATE hueyio_keys SET expires = ? WHERE queue = ? AND area = ? AND key = ? AND (expires IS NULL OR expires > ?)

-- name: scan
SELECT key, value FROM hueyio_keys WHERE queue = ? AND area = ? AND (expires IS NULL OR expires > ?) ORDER BY key LIMIT ?

-- What is over, in chunks: looked up through the index of times, deleted by primary key.

-- name: over_keys
SELECT queue, area, key FROM hueyio_keys WHERE queue = ? AND expires <= ? LIMIT ?

-- name: sweep_key
DELETE FROM hueyio_keys WHERE queue = ? AND area = ? AND key = ?

-- name: over_tokens
SELECT queue, token FROM hueyio_tokens WHERE queue = ? AND expires <= ? LIMIT ?

-- name: sweep_token
DELETE FROM hueyio_tokens WHERE queue = ? AND token = ?

-- name: over_waiters
SELECT queue, id, client FROM hueyio_waiting WHERE queue = ? AND expires <= ? LIMIT ?

-- name: sweep_waiter
DELETE FROM hueyio_waiting WHERE queue = ? AND id = ? AND client = ?
