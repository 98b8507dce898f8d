-- The tables of live tasks, owners and waiters, for any number of queues.
-- Texts are compared as bytes (COLLATE "C"): any text is an id, and no locale decides an order.

CREATE TYPE {schema}.entry AS (
    id text,
    lane smallint,
    rank float8,
    eta float8,
    max_deliveries int,
    unique_key text,
    more jsonb,
    data bytea,
    stage_ids text[],
    stage_data bytea[]
);

-- What an owner gets of a task.
CREATE TYPE {schema}.delivery AS (
    id text,
    lane smallint,
    rank float8,
    eta float8,
    max_deliveries int,
    unique_key text,
    more jsonb,
    data bytea,
    deliveries int,
    started boolean,
    cancelled boolean,
    unrevoked boolean,
    following bytea,
    place bigint
);

CREATE SEQUENCE {schema}.places;

CREATE TABLE {schema}.queues (
    queue int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE,
    revocations bigint NOT NULL DEFAULT 0,    -- rises when a key of the areas revocations and schedules is written
    rewind bigint NOT NULL DEFAULT 0,         -- rises when a task goes back to where it stood: floors fall
    paused_by text,
    paused_at float8,
    dead_dropped bigint NOT NULL DEFAULT 0,
    failed bigint NOT NULL DEFAULT 0,
    failed_bytes bigint NOT NULL DEFAULT 0,
    forgotten_at float8
) WITH (fillfactor = 50);

-- Every live task. state: 0 ready, or held by `owner`; 1 ready and suspect; 2 scheduled.
-- A claim sets only the owner, which no index names: no index entry is written for it (HOT).
-- place: the back of a lane is the next number; the front, where it is not the old place, the next number negated.
CREATE TABLE {schema}.tasks (
    queue int NOT NULL,
    id text COLLATE "C" NOT NULL,
    state smallint NOT NULL,
    lane smallint NOT NULL,                   -- index into LANES
    rank float8 NOT NULL,                     -- the priority negated
    place bigint NOT NULL,
    eta float8,
    owner text COLLATE "C",
    deliveries int NOT NULL DEFAULT 0,
    max_deliveries int NOT NULL,
    started boolean NOT NULL DEFAULT false,
    cancelled boolean NOT NULL DEFAULT false,
    unique_key text COLLATE "C",
    more jsonb,                               -- the rest of the header as a list; NULL when all of it is default
    data bytea NOT NULL,
    progress bytea                            -- what the run that is under way reported last
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000,
        autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off);
CREATE UNIQUE INDEX task_ids ON {schema}.tasks (queue, id);
CREATE UNIQUE INDEX task_unique_keys ON {schema}.tasks (queue, unique_key) WHERE unique_key IS NOT NULL;
CREATE INDEX task_ready ON {schema}.tasks (queue, lane, rank, place) WHERE state = 0;
CREATE INDEX task_suspects ON {schema}.tasks (queue, rank, place) WHERE state = 1;
CREATE INDEX task_due ON {schema}.tasks (queue, eta, place) WHERE state = 2;

-- Cancelled tasks that somebody holds, for notices.
CREATE TABLE {schema}.flags (
    queue int NOT NULL,
    id text COLLATE "C" NOT NULL,
    PRIMARY KEY (queue, id)
);

-- Ids that will follow, each with the live task that names it; over when the last namer is gone.
CREATE TABLE {schema}.expected (
    queue int NOT NULL,
    id text COLLATE "C" NOT NULL,
    namer text COLLATE "C" NOT NULL
);
CREATE INDEX expected_namers ON {schema}.expected (namer, queue);
-- The last: while a table is empty all its indexes cost the same, and then the planner takes the youngest.
ALTER TABLE {schema}.expected ADD PRIMARY KEY (queue, id, namer);

-- The later stages of long pipelines. A stage stands here as long as its id is expected. next: the id of the one after.
CREATE TABLE {schema}.stages (
    queue int NOT NULL,
    id text COLLATE "C" NOT NULL,
    next text COLLATE "C",
    data bytea NOT NULL,
    PRIMARY KEY (queue, id)
);

CREATE TABLE {schema}.tokens (
    queue int NOT NULL,
    token text COLLATE "C" NOT NULL,
    expires float8,
    PRIMARY KEY (queue, token)
);
CREATE INDEX token_times ON {schema}.tokens (queue, expires) WHERE expires IS NOT NULL;

-- number and answers: the last settle batch and what it was told, for its repeat. settled: how many tasks it has let go.
CREATE TABLE {schema}.owners (
    queue int NOT NULL,
    owner text COLLATE "C" NOT NULL,
    info bytea NOT NULL,
    number bigint NOT NULL DEFAULT 0,
    answers text NOT NULL DEFAULT '',
    settled bigint NOT NULL DEFAULT 0,
    counted bigint NOT NULL DEFAULT 0,        -- the number of what it published last that had counts
    PRIMARY KEY (queue, owner)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);

-- Tasks that bodies have ended in transactions of their own: a row for each, until it is added to what the owner settled.
CREATE TABLE {schema}.completed (
    queue int NOT NULL,
    owner text COLLATE "C" NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX completed_owners ON {schema}.completed (queue, owner);

-- What claims write of an owner, in a row of its own: no claim waits for the flush of a settlement.
CREATE TABLE {schema}.holdings (
    queue int NOT NULL,
    owner text COLLATE "C" NOT NULL,
    claimed bigint NOT NULL DEFAULT 0,
    suspects text[] NOT NULL DEFAULT '{}',
    PRIMARY KEY (queue, owner)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);

-- Heartbeats, in a narrow table: none waits for a settlement's lock.
CREATE TABLE {schema}.beats (
    queue int NOT NULL,
    owner text COLLATE "C" NOT NULL,
    beat bigint NOT NULL DEFAULT 0,
    seen float8 NOT NULL,                     -- when it registered or beat last
    PRIMARY KEY (queue, owner)
) WITH (fillfactor = 50);

-- Results and small values; area is an index into AREAS, and 100 are the ids of members of latches.
CREATE TABLE {schema}.keys (
    queue int NOT NULL,
    area smallint NOT NULL,
    key text COLLATE "C" NOT NULL,
    value bytea NOT NULL,
    expires float8,
    PRIMARY KEY (queue, area, key)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0,
        vacuum_truncate = off);
CREATE INDEX key_times ON {schema}.keys (queue, expires) WHERE expires IS NOT NULL;

-- How many tasks were added to each lane: a row for each call, until an owner counts them.
CREATE TABLE {schema}.entered (
    queue int NOT NULL,
    loop bigint NOT NULL,
    thread bigint NOT NULL,
    process bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX entered_queues ON {schema}.entered (queue);

-- Who waits for an id. A settlement deletes the rows and sends the end along; what is too large for a notice stays here,
-- marked as over, until the waiter fetches it. Empty after a crash of the server: clients register again.
CREATE UNLOGGED TABLE {schema}.waiters (
    queue int NOT NULL,
    id text COLLATE "C" NOT NULL,
    client text COLLATE "C" NOT NULL,
    number bigint NOT NULL,
    expires float8 NOT NULL,
    is_over boolean NOT NULL DEFAULT false,
    shared boolean NOT NULL DEFAULT false,
    kind text,
    data bytea
);
CREATE INDEX waiter_clients ON {schema}.waiters (queue, client);
CREATE INDEX waiter_times ON {schema}.waiters (queue, expires);
ALTER TABLE {schema}.waiters ADD CONSTRAINT waiters_pkey PRIMARY KEY (queue, id, client);  -- the last, as above

-- Who follows the progress of a task.
CREATE UNLOGGED TABLE {schema}.followers (
    queue int NOT NULL,
    id text COLLATE "C" NOT NULL,
    client text COLLATE "C" NOT NULL,
    expires float8 NOT NULL
);
CREATE INDEX follower_clients ON {schema}.followers (queue, client);
ALTER TABLE {schema}.followers ADD PRIMARY KEY (queue, id, client);

-- Sessions that wait for work. bells: 1 loop, 2 thread, 4 process, 8 schedule.
CREATE UNLOGGED TABLE {schema}.asleep (
    queue int NOT NULL,
    client text COLLATE "C" NOT NULL,
    bells int NOT NULL,
    PRIMARY KEY (queue, client)
);
