-- What is in the file beside the tasks of this queue.

-- name: list_queues
SELECT name FROM hueyio_queues ORDER BY name LIMIT 100

-- name: list_columns_of_huey
SELECT name FROM pragma_table_info('task')

-- name: count_tasks_of_huey
SELECT count(*) FROM task WHERE queue = ?
