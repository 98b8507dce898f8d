-- The later stages of long pipelines. Run after the others, or alone on a file that an earlier hueyio made: its workers
-- name their tables, so they go on beside this one, and leave the first stage of such a pipeline to newer workers.

-- A stage stands here as long as its id is expected. next: the id of the one after it, whose namer it is in
-- hueyio_expected; data: its message.
CREATE TABLE hueyio_stages (
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    next TEXT,
    data BLOB NOT NULL,
    PRIMARY KEY (queue, id)
) WITHOUT ROWID;
