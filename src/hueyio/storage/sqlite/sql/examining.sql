-- What is in the file beside the tasks of this queue.

-- name: list_queues
SELECT name FROM hueyio_queues ORDER BY name LIMIT 100

-- name: list_columns
SELECT name FROM pragma_table_info(?)

-- name: count_task
SELECT count(*) FROM (SELECT 1 FROM task WHERE queue = ? LIMIT ?)

-- name: count_schedule
SELECT count(*) FROM (SELECT 1 FROM schedule WHERE queue = ? LIMIT ?)
