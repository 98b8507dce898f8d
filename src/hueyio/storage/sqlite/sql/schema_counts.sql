-- What owners count. Run after the others, or alone on a file that an earlier hueyio made: its workers name their columns,
-- so they go on beside these, and count nothing.

-- row: t the totals of the slot, i its names with how many ended, f its groups of failures, q how many tasks were added to
-- each lane, and n<name> what was counted of the tasks of that name. data: JSON, numbers by names.
CREATE TABLE hueyio_counts (
    queue INTEGER NOT NULL,
    span INTEGER NOT NULL,
    slot INTEGER NOT NULL,
    row TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (queue, span, slot, row)
) WITHOUT ROWID;

-- The number of what it published last that had counts.
ALTER TABLE hueyio_owners ADD COLUMN counted INTEGER NOT NULL DEFAULT 0;

-- How many tasks were added to each lane since an owner has counted them.
ALTER TABLE hueyio_queues ADD COLUMN entered_loop INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hueyio_queues ADD COLUMN entered_thread INTEGER NOT NULL DEFAULT 0;
ALTER TABLE hueyio_queues ADD COLUMN entered_process INTEGER NOT NULL DEFAULT 0;
