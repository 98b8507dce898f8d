-- Take registrations of a client back, and register it for ids; return those that are over, with the letter of the kind.
-- An id of which nothing is known is registered only if it is among the patient. A task's row is held for a moment, so
-- that its end waits for this registration; where somebody ends it just now, the kind is '?': ask again.
CREATE OR REPLACE FUNCTION {schema}.register_1(
    q int, who text, gone text[], gone_numbers bigint[], ids text[], numbers bigint[], patient bool[], bounds jsonb
) RETURNS TABLE (id text, number bigint, kind text, data bytea) {entry} AS $$
DECLARE
    at float8 := {schema}.now_1();
BEGIN
    PERFORM {schema}.use_bounds_1(bounds);
    FOR i IN 1..cardinality(gone) LOOP
        DELETE FROM {schema}.waiters AS w
        WHERE w.queue = q AND w.id = gone[i] AND w.client = who AND w.number = gone_numbers[i];
    END LOOP;
    FOR i IN 1..cardinality(ids) LOOP
        INSERT INTO {schema}.waiters AS w (queue, id, client, number, expires)
        VALUES (q, ids[i], who, numbers[i], at + 86400)
        ON CONFLICT ON CONSTRAINT waiters_pkey DO UPDATE
        SET number = excluded.number, expires = excluded.expires, is_over = false, data = NULL, kind = NULL, shared = false
        WHERE w.number <> excluded.number OR w.expires < at + 43200;
        PERFORM FROM {schema}.tasks AS t WHERE t.queue = q AND t.id = ids[i] FOR KEY SHARE SKIP LOCKED;
        CONTINUE WHEN FOUND;
        PERFORM FROM {schema}.expected AS e WHERE e.queue = q AND e.id = ids[i] FOR KEY SHARE SKIP LOCKED;
        CONTINUE WHEN FOUND;
        id := ids[i];
        number := numbers[i];
        data := NULL;
        IF {schema}.is_live_1(q, ids[i]) THEN
            kind := '?';
            RETURN NEXT;
            CONTINUE;
        END IF;
        kind := {schema}.find_ended_1(q, ids[i]);
        SELECT k.value INTO data FROM {schema}.keys AS k
        WHERE k.queue = q AND k.area = 0 AND k.key = ids[i] AND (k.expires IS NULL OR k.expires > at);
        CONTINUE WHEN data IS NULL AND kind IS NULL AND patient[i];
        PERFORM FROM {schema}.waiters AS w WHERE w.queue = q AND w.id = ids[i] AND w.client = who AND w.is_over;
        CONTINUE WHEN FOUND;  -- told of it already: its mail is on the way
        DELETE FROM {schema}.waiters AS w WHERE w.queue = q AND w.id = ids[i] AND w.client = who;
        RETURN NEXT;
    END LOOP;
END $$;

-- Take the ends that wait for a client.
CREATE OR REPLACE FUNCTION {schema}.fetch_ends_1(q int, who text)
RETURNS TABLE (id text, number bigint, kind text, shared bool, data bytea) {entry} AS $$
BEGIN
    RETURN QUERY
    DELETE FROM {schema}.waiters AS w WHERE w.queue = q AND w.client = who AND w.is_over
    RETURNING w.id, w.number, w.kind, w.shared, w.data;
END $$;
