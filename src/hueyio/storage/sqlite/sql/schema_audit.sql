-- The audit log, and who paused a queue. Run after the other three, or alone on a file that an earlier hueyio made: its
-- workers name their columns, so they go on beside these. A pause is 1 where one of them wrote it, and 2 where the
-- columns beside it say whose it is; they obey both.

CREATE TABLE hueyio_audit (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    queue INTEGER NOT NULL,
    at REAL NOT NULL,
    line BLOB NOT NULL
);
CREATE INDEX hueyio_audit_numbers ON hueyio_audit (queue, number);

ALTER TABLE hueyio_queues ADD COLUMN paused_by TEXT;
ALTER TABLE hueyio_queues ADD COLUMN paused_at REAL;
