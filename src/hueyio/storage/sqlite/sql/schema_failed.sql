-- Failed tasks, and what the dead letters had not before. Run after the other two, or alone on a file that an earlier
-- hueyio made: its workers name their columns, so they go on beside these, and keep no failed tasks.

-- size: of what stands in this row, about; the queue's row has the count and the sum. data comes last, so that a list
-- need not read it.
CREATE TABLE hueyio_failed (
    number INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    lane INTEGER NOT NULL,
    priority REAL NOT NULL,
    eta REAL,
    max_deliveries INTEGER NOT NULL,
    unique_key TEXT,
    more TEXT,
    reason TEXT NOT NULL,
    buried_at REAL NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    size INTEGER NOT NULL,
    data BLOB NOT NULL
);
CREATE UNIQUE INDEX hueyio_failed_ids ON hueyio_failed (queue, id);
CREATE INDEX hueyio_failed_times ON hueyio_failed (queue, buried_at, id);

ALTER TABLE hueyio_queues ADD COLUMN failed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hueyio_queues ADD COLUMN failed_bytes INTEGER NOT NULL DEFAULT 0;

-- NULL where an earlier hueyio wrote it.
ALTER TABLE hueyio_dead ADD COLUMN kind TEXT;
ALTER TABLE hueyio_dead ADD COLUMN name TEXT;
CREATE INDEX hueyio_dead_times ON hueyio_dead (queue, buried_at, id);
