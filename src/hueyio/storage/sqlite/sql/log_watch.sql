-- What makes the log long on a disk that is nearly full.

-- name: write_reserve
INSERT OR REPLACE INTO hueyio_keys (queue, area, key, value, expires) VALUES (-1, -1, 'reserve', zeroblob(?), NULL)

-- name: delete_reserve
DELETE FROM hueyio_keys WHERE queue = -1 AND area = -1 AND key = 'reserve'
