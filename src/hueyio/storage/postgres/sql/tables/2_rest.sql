-- What is kept beside the live tasks: chords, letters, what is remembered of ends, counts, and the audit log.

-- Chords that wait for their members, or whose callback is not over, or is kept as a letter. key: the callback's id,
-- which also names it in `expected`; then the callback's header and message; reported: how many positions `reports`
-- has.
CREATE TABLE {schema}.latches (
    queue int NOT NULL,
    key text COLLATE "C" NOT NULL,
    size int NOT NULL,
    reported int NOT NULL DEFAULT 0,
    lane smallint NOT NULL,
    rank float8 NOT NULL,
    eta float8,
    max_deliveries int NOT NULL,
    unique_key text COLLATE "C",
    more jsonb,
    absent bytea NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (queue, key)
) WITH (fillfactor = 50);

-- id: that of the member; NULL where it could not be added.
CREATE TABLE {schema}.reports (
    queue int NOT NULL,
    key text COLLATE "C" NOT NULL,
    "position" int NOT NULL,
    id text COLLATE "C",
    value bytea NOT NULL,
    PRIMARY KEY (queue, key, "position")
);

-- Dead letters (store 'd') and failed tasks ('f'): an id has one letter. size: of what stands in this row, about.
CREATE TABLE {schema}.letters (
    number bigint GENERATED ALWAYS AS IDENTITY,
    queue int NOT NULL,
    id text COLLATE "C" NOT NULL,
    store "char" NOT NULL,
    lane smallint NOT NULL,
    rank float8 NOT NULL,
    eta float8,
    max_deliveries int NOT NULL,
    unique_key text COLLATE "C",
    more jsonb,
    buried_at float8 NOT NULL,
    kind "char" NOT NULL,
    size bigint NOT NULL,
    name text NOT NULL,
    reason text NOT NULL,
    data bytea NOT NULL
);
CREATE INDEX letter_times ON {schema}.letters (queue, buried_at, id);
CREATE INDEX letter_stores ON {schema}.letters (queue, store, number);
-- The last: while a table is empty all its indexes cost the same, and then the planner takes the youngest.
ALTER TABLE {schema}.letters ADD PRIMARY KEY (queue, id);

-- How many letters a store has, and how many bytes: the sum of these rows. A row for each change, folded now and
-- then, so that those who bury at the same time do not wait for each other.
CREATE TABLE {schema}.letter_sums (
    queue int NOT NULL,
    store "char" NOT NULL,
    letters bigint NOT NULL,
    bytes bigint NOT NULL
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX letter_sums_stores ON {schema}.letter_sums (queue, store);

-- Ids that are over, a row for each step that ended some. kinds: a letter for each id, '-' where it lives again.
-- total: about how many the queue had ended with this row: those that end at the same time may not count each other.
-- Who reads leaves out what is beyond the bounds, and a sweep deletes it: a settlement never looks for the oldest,
-- where dead rows may stand. Ids of tasks that were enqueued together stand close together, so first and last tell
-- most rows apart.
CREATE TABLE {schema}.ended (
    queue int NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    total bigint NOT NULL,
    at float8 NOT NULL,
    first text COLLATE "C" NOT NULL,
    last text COLLATE "C" NOT NULL,
    kinds text NOT NULL,
    ids text[] COLLATE "C" NOT NULL,
    PRIMARY KEY (queue, number)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
        vacuum_truncate = off);
CREATE INDEX ended_ids ON {schema}.ended (queue, last, first);

-- A row for each batch of settlements that ended tasks: their ids (NULL where one was refused), and what is known of
-- them, in the same order. total: as above.
CREATE TABLE {schema}.history (
    queue int NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    total bigint NOT NULL,
    at float8 NOT NULL,
    ids text[] COLLATE "C" NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (queue, number)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
        vacuum_truncate = off);

-- A row for each attempt that failed or was cut short. total: as above, of attempts.
CREATE TABLE {schema}.attempts (
    queue int NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    total bigint NOT NULL,
    at float8 NOT NULL,
    id text COLLATE "C" NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (queue, number)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_cost_delay = 0,
        vacuum_truncate = off);
CREATE INDEX attempt_ids ON {schema}.attempts (queue, id, number);

-- What owners count. part: t the totals of the slot, i its names with how many ended, f its groups of failures, q how
-- many tasks were added to each lane, and n<name> what was counted of the tasks of that name. data: numbers by names.
CREATE TABLE {schema}.counts (
    queue int NOT NULL,
    span int NOT NULL,
    slot bigint NOT NULL,
    part text COLLATE "C" NOT NULL,
    data jsonb NOT NULL,
    PRIMARY KEY (queue, span, slot, part)
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
        autovacuum_vacuum_cost_delay = 0);

CREATE TABLE {schema}.audit (
    queue int NOT NULL,
    number bigint GENERATED ALWAYS AS IDENTITY,
    at float8 NOT NULL,
    line bytea NOT NULL,
    PRIMARY KEY (queue, number)
);
