-- The tables of one file, for any number of queues. Prefixed, because applications keep their own tables beside them.
-- Run statement by statement inside one BEGIN IMMEDIATE, and only when `hueyio_meta` is not there yet.

CREATE TABLE hueyio_meta (
    version INTEGER NOT NULL
);

-- One row per queue. What a session that waits must compare stands here together, so that one look is one row:
-- the four bells (raised by one with every transaction that rings them) and the count of revocations.
CREATE TABLE hueyio_queues (
    queue INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    place INTEGER NOT NULL DEFAULT 0,         -- the last place that was given; only ever grows
    loop INTEGER NOT NULL DEFAULT 0,
    thread INTEGER NOT NULL DEFAULT 0,
    process INTEGER NOT NULL DEFAULT 0,
    schedule INTEGER NOT NULL DEFAULT 0,
    revocations INTEGER NOT NULL DEFAULT 0,
    dead_dropped INTEGER NOT NULL DEFAULT 0,
    paused INTEGER NOT NULL DEFAULT 0
);

-- Every live task. state: 0 ready, 1 ready and suspect, 2 scheduled, 3 held by `owner`.
-- place: the back of a lane is the next number; the front, where it is not the old place, the next number negated.
CREATE TABLE hueyio_tasks (
    row INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    state INTEGER NOT NULL,
    lane INTEGER NOT NULL,                    -- index into LANES
    priority REAL NOT NULL,
    place INTEGER NOT NULL,
    eta REAL,
    owner TEXT,
    deliveries INTEGER NOT NULL DEFAULT 0,
    max_deliveries INTEGER NOT NULL,
    started INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    unique_key TEXT,
    more TEXT,                                -- the rest of the header as JSON; NULL when all of it is default
    data BLOB NOT NULL,
    progress BLOB                             -- what the run that is under way reported last
);
CREATE UNIQUE INDEX hueyio_task_ids ON hueyio_tasks (queue, id);
CREATE UNIQUE INDEX hueyio_unique_keys ON hueyio_tasks (queue, unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX hueyio_ready ON hueyio_tasks (queue, lane, priority DESC, place) WHERE state = 0;
CREATE INDEX hueyio_suspects ON hueyio_tasks (queue, priority DESC, place) WHERE state = 1;
CREATE INDEX hueyio_due ON hueyio_tasks (queue, eta, place) WHERE state = 2;
CREATE INDEX hueyio_held ON hueyio_tasks (queue, owner) WHERE state = 3;
CREATE INDEX hueyio_redelivered ON hueyio_tasks (queue, owner) WHERE state = 3 AND deliveries > 0;
CREATE INDEX hueyio_flagged ON hueyio_tasks (queue, owner) WHERE cancelled = 1;

-- Ids that will follow, each with the live task that names it; over when the last namer is gone.
CREATE TABLE hueyio_expected (
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    namer TEXT NOT NULL,
    PRIMARY KEY (queue, id, namer)
) WITHOUT ROWID;
CREATE INDEX hueyio_namers ON hueyio_expected (queue, namer);

CREATE TABLE hueyio_tokens (
    queue INTEGER NOT NULL,
    token TEXT NOT NULL,
    expires REAL,
    PRIMARY KEY (queue, token)
) WITHOUT ROWID;
CREATE INDEX hueyio_token_times ON hueyio_tokens (queue, expires) WHERE expires IS NOT NULL;

-- number and answers: the last settle batch and what it was told, for its repeat.
CREATE TABLE hueyio_owners (
    queue INTEGER NOT NULL,
    owner TEXT NOT NULL,
    beat INTEGER NOT NULL DEFAULT 0,
    seen REAL NOT NULL,  -- when it registered or beat last
    info BLOB NOT NULL,
    number INTEGER NOT NULL DEFAULT 0,
    answers TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (queue, owner)
) WITHOUT ROWID;

-- Results and small values; area is an index into AREAS.
CREATE TABLE hueyio_keys (
    queue INTEGER NOT NULL,
    area INTEGER NOT NULL,
    key TEXT NOT NULL,
    value BLOB NOT NULL,
    expires REAL,
    PRIMARY KEY (queue, area, key)
) WITHOUT ROWID;
CREATE INDEX hueyio_key_times ON hueyio_keys (queue, expires) WHERE expires IS NOT NULL;

-- Who waits for an id. A settle marks the row over and leaves the value in it, so that a waiter that looks a moment
-- later gets it even when somebody else has deleted the result by then. number tells one registration from the next.
CREATE TABLE hueyio_waiting (
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    client TEXT NOT NULL,
    number INTEGER NOT NULL,
    expires REAL NOT NULL,
    over INTEGER NOT NULL DEFAULT 0,
    shared INTEGER NOT NULL DEFAULT 0,
    data BLOB,
    PRIMARY KEY (queue, id, client)
) WITHOUT ROWID;
CREATE INDEX hueyio_mail ON hueyio_waiting (queue, client, over);
CREATE INDEX hueyio_waiting_times ON hueyio_waiting (queue, expires);

-- Chords that wait for their members, or whose callback is not over. key: the callback's id, which also names it in
-- hueyio_expected; header: the callback's, as JSON; reported: how many positions hueyio_reports has.
CREATE TABLE hueyio_latches (
    queue INTEGER NOT NULL,
    key TEXT NOT NULL,
    size INTEGER NOT NULL,
    reported INTEGER NOT NULL DEFAULT 0,
    absent BLOB NOT NULL,
    header TEXT NOT NULL,
    data BLOB NOT NULL,
    PRIMARY KEY (queue, key)
) WITHOUT ROWID;

CREATE TABLE hueyio_reports (
    queue INTEGER NOT NULL,
    key TEXT NOT NULL,
    position INTEGER NOT NULL,
    value BLOB NOT NULL,
    PRIMARY KEY (queue, key, position)
) WITHOUT ROWID;

CREATE TABLE hueyio_dead (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    lane INTEGER NOT NULL,
    priority REAL NOT NULL,
    eta REAL,
    max_deliveries INTEGER NOT NULL,
    unique_key TEXT,
    more TEXT,
    data BLOB NOT NULL,
    reason TEXT NOT NULL,
    buried_at REAL NOT NULL
);
CREATE UNIQUE INDEX hueyio_dead_ids ON hueyio_dead (queue, id);
