-- Take registrations of a client back, and register it for ids; return those that are over, with the letter of the kind.
-- An id of which nothing is known is registered only if it is among the patient. A task's row is held for a moment, so
-- that its end waits for this registration; where somebody ends it just now, the kind is '?': ask again.
-- Each step is one statement for all ids, in the order given: theirs, so that two clients do not wait for each other.
-- How the planner is led: count(*) in place of EXISTS, for which it may read a whole table into a hash table; no LIMIT, with
-- which it takes any index while a table is empty; client || '', as a client may wait for thousands of ids, so that its
-- rows are not to be found by the index of the clients; and an element of an array is computed before it is looked up: it
-- costs something, and while a table is empty the cheapest index is then one that is not asked for it.
CREATE OR REPLACE FUNCTION {schema}.register_1(
    q int, who text, gone text[], gone_numbers bigint[], ids text[], numbers bigint[], patient bool[], bounds jsonb
) RETURNS TABLE (id text, number bigint, kind text, data bytea) {entry} AS $$
DECLARE
    at float8 := {schema}.now_1();
    rest bigint[];  -- places in ids, of those that may be over
    busy bigint[];  -- of those that somebody ends just now
    ends jsonb;
    over text[] := '{}';
    it record;
BEGIN
    PERFORM {schema}.use_bounds_1(bounds);
    IF cardinality(gone) > 0 THEN
        DELETE FROM {schema}.waiters AS w WHERE w.ctid = ANY (ARRAY(
            SELECT mine.at FROM unnest(gone, gone_numbers) AS g (id, number) CROSS JOIN LATERAL (
                SELECT x.ctid AS at FROM {schema}.waiters AS x
                WHERE x.queue = q AND x.id = g.id AND x.client || '' = who AND x.number = g.number FOR UPDATE
            ) AS mine
        ));
    END IF;
    IF cardinality(ids) = 0 THEN
        RETURN;
    END IF;
    INSERT INTO {schema}.waiters AS w (queue, id, client, number, expires)
    SELECT DISTINCT ON (asked.id COLLATE "C") q, asked.id, who, asked.number, at + 86400
    FROM unnest(ids, numbers) AS asked (id, number) ORDER BY asked.id COLLATE "C", asked.number DESC
    ON CONFLICT ON CONSTRAINT waiters_pkey DO UPDATE
    SET number = excluded.number, expires = excluded.expires, is_over = false, data = NULL, kind = NULL, shared = false
    WHERE w.number <> excluded.number OR w.expires < at + 43200;
    rest := {schema}.without_1(cardinality(ids), ARRAY(
        SELECT asked.n FROM unnest(ids) WITH ORDINALITY AS asked (id, n) CROSS JOIN LATERAL (
            SELECT FROM {schema}.tasks AS t WHERE t.queue = q AND t.id = asked.id FOR KEY SHARE SKIP LOCKED
        ) AS task
    ));
    IF rest = '{}' THEN
        RETURN;
    END IF;
    rest := ARRAY(
        SELECT asked.n FROM (SELECT spot AS n, ids[spot] AS id FROM unnest(rest) AS spot OFFSET 0) AS asked LEFT JOIN LATERAL (
            SELECT true AS is_held FROM {schema}.expected AS e
            WHERE e.queue = q AND e.id = asked.id FOR KEY SHARE SKIP LOCKED
        ) AS later ON true WHERE later.is_held IS NULL
    );
    busy := ARRAY(
        SELECT asked.n FROM (SELECT spot AS n, ids[spot] AS id FROM unnest(rest) AS spot OFFSET 0) AS asked
        WHERE (SELECT count(*) > 0 FROM {schema}.tasks AS t WHERE t.queue = q AND t.id = asked.id)
            OR (SELECT count(*) > 0 FROM {schema}.expected AS e WHERE e.queue = q AND e.id = asked.id)
    );
    RETURN QUERY SELECT ids[spot], numbers[spot], '?'::text, NULL::bytea FROM unnest(busy) AS spot;
    ends := {schema}.find_all_ended_1(q, ARRAY(SELECT ids[spot] FROM unnest(rest) AS spot WHERE spot <> ALL (busy)));
    FOR it IN
        SELECT asked.n, ends ->> asked.id AS kind, (
            SELECT k.value FROM {schema}.keys AS k
            WHERE k.queue = q AND k.area = 0 AND k.key = asked.id AND (k.expires IS NULL OR k.expires > at)
        ) AS data, (
            SELECT w.is_over FROM {schema}.waiters AS w
            WHERE w.queue = q AND w.id = asked.id AND w.client || '' = who
        ) AS is_told
        FROM (SELECT spot AS n, ids[spot] AS id FROM unnest(rest) AS spot WHERE spot <> ALL (busy) OFFSET 0) AS asked
    LOOP
        CONTINUE WHEN it.data IS NULL AND it.kind IS NULL AND patient[it.n];
        CONTINUE WHEN it.is_told;  -- its mail is on the way
        id := ids[it.n];
        number := numbers[it.n];
        kind := it.kind;
        data := it.data;
        over := over || id;
        RETURN NEXT;
    END LOOP;
    IF over <> '{}' THEN
        DELETE FROM {schema}.waiters AS w WHERE w.ctid = ANY (ARRAY(
            SELECT mine.at FROM unnest(over) AS o (id) CROSS JOIN LATERAL (
                SELECT x.ctid AS at FROM {schema}.waiters AS x
                WHERE x.queue = q AND x.id = o.id AND x.client || '' = who FOR UPDATE
            ) AS mine
        ));
    END IF;
END $$;

-- The numbers from 1 on without these, in order.
CREATE OR REPLACE FUNCTION {schema}.without_1(most int, those bigint[]) RETURNS bigint[] {inner} AS $$
BEGIN
    IF cardinality(those) = most THEN
        RETURN '{}';
    END IF;
    RETURN ARRAY(SELECT generate_series(1::bigint, most) EXCEPT SELECT unnest(those) ORDER BY 1);
END $$;

-- Take the ends that wait for a client.
CREATE OR REPLACE FUNCTION {schema}.fetch_ends_1(q int, who text)
RETURNS TABLE (id text, number bigint, kind text, shared bool, data bytea) {entry} AS $$
BEGIN
    RETURN QUERY
    DELETE FROM {schema}.waiters AS w WHERE w.queue = q AND w.client = who AND w.is_over
    RETURNING w.id, w.number, w.kind, w.shared, w.data;
END $$;
