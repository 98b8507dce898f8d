-- Ring the sessions that sleep and wait for one of these bells (1 loop, 2 thread, 4 process, 8 schedule), each once: its
-- row goes with it. One that somebody else is waking just now is left to him. In a transaction of the application's all
-- sessions of the queue are rung, and told the place from which on there is something to find: see enqueue_in_1.
CREATE OR REPLACE FUNCTION {schema}.ring_1(q int, mask int) RETURNS void {inner} AS $$
DECLARE
    rows_ tid[];
    sleeper record;
    late_from text := current_setting('hueyio.late_from', true);
BEGIN
    IF late_from <> '' AND mask <> 0 THEN
        PERFORM pg_notify('{schema}.' || q, format('l%s %s', mask, late_from));
        RETURN;
    END IF;
    IF mask = 0 OR NOT EXISTS (SELECT FROM {schema}.asleep WHERE queue = q AND bells & mask <> 0) THEN
        RETURN;
    END IF;
    SELECT array_agg(it.at) INTO rows_ FROM (
        SELECT ctid AS at FROM {schema}.asleep WHERE queue = q AND bells & mask <> 0 FOR UPDATE SKIP LOCKED
    ) AS it;
    FOR sleeper IN DELETE FROM {schema}.asleep WHERE ctid = ANY (rows_) RETURNING client, bells LOOP
        PERFORM pg_notify('{schema}.c' || sleeper.client, 'r' || (sleeper.bells & mask));
    END LOOP;
END $$;

-- Have all owners read their notices again.
CREATE OR REPLACE FUNCTION {schema}.notice_1(q int) RETURNS void {inner} AS $$
BEGIN
    PERFORM pg_notify('{schema}.' || q, 'n');
END $$;

-- Have all owners read their notices again if a cancelled task is among those that change hands.
CREATE OR REPLACE FUNCTION {schema}.notice_flagged_1(q int, which tid[]) RETURNS void {inner} AS $$
BEGIN
    PERFORM FROM {schema}.flags WHERE queue = q LIMIT 1;
    IF FOUND THEN
        PERFORM FROM {schema}.tasks WHERE ctid = ANY (which) AND cancelled LIMIT 1;
        IF FOUND THEN
            PERFORM {schema}.notice_1(q);
        END IF;
    END IF;
END $$;

-- Let claims look from the beginning again: a task went back to where it stood.
CREATE OR REPLACE FUNCTION {schema}.rewind_1(q int) RETURNS void {inner} AS $$
BEGIN
    UPDATE {schema}.queues SET rewind = rewind + 1 WHERE queue = q;
END $$;

-- The lanes that have ready tasks, as bells.
CREATE OR REPLACE FUNCTION {schema}.ready_lanes_1(q int) RETURNS int {inner} AS $$
DECLARE
    mask int := 0;
BEGIN
    FOR l IN 0..2 LOOP
        IF EXISTS (SELECT FROM {schema}.tasks WHERE queue = q AND lane = l AND state = 0 AND owner IS NULL) THEN
            mask := mask | (1 << l);
        END IF;
    END LOOP;
    RETURN mask;
END $$;

-- The lanes that have suspects, as bells.
CREATE OR REPLACE FUNCTION {schema}.suspect_lanes_1(q int) RETURNS int {inner} AS $$
BEGIN
    RETURN coalesce((SELECT bit_or(1 << lane) FROM {schema}.tasks WHERE queue = q AND state = 1), 0);
END $$;
