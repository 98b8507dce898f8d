-- Write that these ids will follow, unless they are alive.
CREATE OR REPLACE FUNCTION {schema}.expect_1(q int, ids text[], by_id text) RETURNS void {inner} AS $$
BEGIN
    INSERT INTO {schema}.expected (queue, id, namer)
    SELECT q, it, by_id FROM unnest(ids) AS it
    WHERE NOT EXISTS (SELECT FROM {schema}.tasks WHERE queue = q AND id = it)
    ON CONFLICT DO NOTHING;
END $$;

-- Let a task expect nothing more; return what it expected.
CREATE OR REPLACE FUNCTION {schema}.unname_1(q int, by_id text) RETURNS text[] {inner} AS $$
DECLARE
    named text[];
BEGIN
    WITH those AS MATERIALIZED (  -- in an order that only the index of the namers has
        SELECT ctid AS at FROM {schema}.expected
        WHERE namer >= by_id AND namer <= by_id AND queue = q ORDER BY namer, queue FOR UPDATE
    ), gone AS (
        DELETE FROM {schema}.expected AS it USING those WHERE it.ctid = those.at RETURNING it.id
    )
    SELECT array_agg(id) INTO named FROM gone;
    RETURN coalesce(named, '{}');
END $$;

-- Let stages wait, each after the one before; those behind an id that is alive never come.
CREATE OR REPLACE FUNCTION {schema}.keep_stages_1(q int, ids text[], messages bytea[]) RETURNS void {inner} AS $$
DECLARE
    before text;
    last int := coalesce(cardinality(ids), 0);
BEGIN
    FOR i IN 1..last LOOP
        IF {schema}.is_alive_1(q, ids[i]) THEN
            last := i - 1;
            EXIT;
        END IF;
    END LOOP;
    FOR i IN 1..last LOOP
        INSERT INTO {schema}.stages (queue, id, next, data)
        VALUES (q, ids[i], CASE WHEN i < last THEN ids[i + 1] END, messages[i])
        ON CONFLICT (queue, id) DO UPDATE SET next = excluded.next, data = excluded.data;
        IF i > 1 THEN
            INSERT INTO {schema}.expected (queue, id, namer) VALUES (q, ids[i], before) ON CONFLICT DO NOTHING;
        END IF;
        before := ids[i];
    END LOOP;
END $$;

-- Let these ids be expected no more: they are over.
CREATE OR REPLACE FUNCTION {schema}.arrived_1(q int, ids text[]) RETURNS void {inner} AS $$
DECLARE
    one text;
BEGIN
    FOREACH one IN ARRAY ids LOOP
        DELETE FROM {schema}.expected WHERE queue = q AND id = one;
        DELETE FROM {schema}.stages WHERE queue = q AND id = one;
    END LOOP;
END $$;

-- Let tasks that were added be expected no more. Where one is not the stage that waited under its id, what follows that
-- ends. mores: the rest of their headers.
CREATE OR REPLACE FUNCTION {schema}.arrive_1(q int, ids text[], mores jsonb[]) RETURNS void {inner} AS $$
DECLARE
    stage record;
    one text;
BEGIN
    IF NOT EXISTS (SELECT FROM {schema}.expected WHERE queue = q) THEN
        RETURN;
    END IF;
    FOREACH one IN ARRAY ids LOOP
        DELETE FROM {schema}.expected WHERE queue = q AND id = one;
    END LOOP;
    PERFORM FROM {schema}.stages WHERE queue = q LIMIT 1;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    FOR place IN 1..cardinality(ids) LOOP
        DELETE FROM {schema}.stages WHERE queue = q AND id = ids[place] RETURNING id, next INTO stage;
        CONTINUE WHEN NOT FOUND OR stage.next IS NULL OR mores[place] -> 7 ? stage.next;
        DELETE FROM {schema}.expected WHERE queue = q AND id = stage.next AND namer = stage.id;
        PERFORM {schema}.cancel_all_1(q, ARRAY[stage.next]);
    END LOOP;
END $$;

-- Ids, each with the stages that come after it; those of an id that is alive are its own business.
CREATE OR REPLACE FUNCTION {schema}.with_later_1(q int, ids text[]) RETURNS text[] {inner} AS $$
DECLARE
    found text[] := '{}';
    current_id text;
    one text;
BEGIN
    FOREACH one IN ARRAY coalesce(ids, '{}') LOOP
        current_id := one;
        WHILE current_id IS NOT NULL AND current_id <> ALL (found) LOOP
            found := found || current_id;
            IF {schema}.is_alive_1(q, current_id) THEN
                current_id := NULL;
            ELSE
                SELECT next INTO current_id FROM {schema}.stages WHERE queue = q AND id = current_id;
            END IF;
        END LOOP;
    END LOOP;
    RETURN found;
END $$;
