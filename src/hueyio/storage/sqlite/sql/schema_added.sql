-- What came after the first version of the tables. Run after `schema.sql`, or alone on a file that an earlier hueyio
-- made: its workers name their columns, so they go on beside these, and leave no tombstones.

-- Ids that are over, a row for each transaction that ended some. data: for each id a line "<id>\t<letter>\n" behind a
-- first "\n", see engine/tombstones.py. total: how many the queue had ended with this row, for the bound.
-- Ids of tasks that were enqueued together stand close together, so first and last tell most rows apart.
CREATE TABLE hueyio_ended (
    number INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    total INTEGER NOT NULL,
    at REAL NOT NULL,
    count INTEGER NOT NULL,
    last BLOB NOT NULL,                       -- UTF-8, whatever the encoding of the file
    first BLOB NOT NULL,
    data BLOB NOT NULL
);
CREATE INDEX hueyio_ended_totals ON hueyio_ended (queue, total);
CREATE INDEX hueyio_ended_ids ON hueyio_ended (queue, last, first);

-- When that ended which was forgotten last; NULL: nothing was.
ALTER TABLE hueyio_queues ADD COLUMN forgotten_at REAL;

-- Which way it ended; NULL also where an earlier hueyio wrote it.
ALTER TABLE hueyio_waiting ADD COLUMN kind TEXT;
