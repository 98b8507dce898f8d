-- The history. Run after the other three, or alone on a file that an earlier hueyio made: its workers name their columns,
-- so they go on beside these, and what they end is not in the history.

-- A row for each batch of settlements that ended tasks. ids: a line for each task, see shared/packed_ids.py; data: what
-- is known of them, in the same order. total: how many tasks the queue's history ever had with this row, for the bound.
-- No index finds an id: that would cost each batch more than a look through all rows now and then.
CREATE TABLE hueyio_history (
    number INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    total INTEGER NOT NULL,
    at REAL NOT NULL,
    ids BLOB NOT NULL,                        -- UTF-8, whatever the encoding of the file
    data BLOB NOT NULL
);
CREATE INDEX hueyio_history_totals ON hueyio_history (queue, total);

-- A row for each attempt that failed or was cut short. total: as above, of attempts.
CREATE TABLE hueyio_attempts (
    number INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    total INTEGER NOT NULL,
    at REAL NOT NULL,
    id TEXT NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX hueyio_attempts_totals ON hueyio_attempts (queue, total);
CREATE INDEX hueyio_attempts_ids ON hueyio_attempts (queue, id);
