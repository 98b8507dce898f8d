-- Add tasks of which only the id can be in the way. Say of each whether it was added.
CREATE OR REPLACE FUNCTION {schema}.enqueue_plain_1(
    q int, ids text[], lanes smallint[], ranks float8[], etas float8[], most int[], mores jsonb[], messages bytea[],
    bounds jsonb
) RETURNS TABLE (added bool[]) {entry} AS $$
DECLARE
    n int := cardinality(ids);
    places bigint[] := ARRAY(SELECT nextval('{schema}.places') FROM generate_series(1, cardinality(ids)));
    first_eta float8;
    inserted int;
    mask int;
    in_lane bigint[];
BEGIN
    SELECT eta INTO first_eta FROM {schema}.tasks WHERE queue = q AND state = 2 ORDER BY eta LIMIT 1;
    INSERT INTO {schema}.tasks (queue, id, state, lane, rank, place, eta, max_deliveries, more, data)
    SELECT q, it.id, CASE WHEN it.eta IS NULL THEN 0 ELSE 2 END, it.lane, it.rank, it.place, it.eta, it.most, it.more, it.data
    FROM unnest(ids, lanes, ranks, places, etas, most, mores, messages)
        AS it (id, lane, rank, place, eta, most, more, data)
    ORDER BY it.id COLLATE "C"
    ON CONFLICT (queue, id) DO NOTHING;
    GET DIAGNOSTICS inserted = ROW_COUNT;
    IF inserted = n THEN
        added := array_fill(true, ARRAY[n]);
    ELSE
        SELECT array_agg(EXISTS (
            SELECT FROM {schema}.tasks AS t WHERE t.queue = q AND t.id = it.id AND t.place = it.place
        ) ORDER BY it.n) INTO added
        FROM unnest(ids, places) WITH ORDINALITY AS it (id, place, n);
    END IF;
    IF inserted > 0 THEN
        SELECT bit_or(CASE
                WHEN it.eta IS NULL THEN 1 << it.lane
                WHEN first_eta IS NULL OR it.eta < first_eta THEN 8
                ELSE 0
            END),
            ARRAY[count(*) FILTER (WHERE it.lane = 0), count(*) FILTER (WHERE it.lane = 1), count(*) FILTER (WHERE it.lane = 2)]
        INTO mask, in_lane
        FROM unnest(lanes, etas, added) AS it (lane, eta, added) WHERE it.added;
        INSERT INTO {schema}.entered (queue, loop, thread, process) VALUES (q, in_lane[1], in_lane[2], in_lane[3]);
        PERFORM FROM {schema}.expected WHERE queue = q LIMIT 1;
        IF FOUND THEN
            PERFORM {schema}.use_bounds_1(bounds);
            PERFORM {schema}.arrive_1(q, array_agg(it.id), array_agg(it.more))
            FROM unnest(ids, mores, added) AS it (id, more, added) WHERE it.added;
        END IF;
        PERFORM {schema}.ring_1(q, mask);
    END IF;
    RETURN NEXT;
END $$;
