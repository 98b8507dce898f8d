-- Delete the letters of these ids, wherever they stand; return the ids of those that were there.
CREATE OR REPLACE FUNCTION {schema}.drop_letters_1(q int, unwanted text[]) RETURNS text[] {inner} AS $$
DECLARE
    dropped text[];
BEGIN
    WITH those AS MATERIALIZED (
        SELECT it.at FROM (SELECT id FROM unnest(unwanted) AS id ORDER BY id COLLATE "C") AS asked
        CROSS JOIN LATERAL (
            SELECT l.ctid AS at FROM {schema}.letters AS l WHERE l.queue = q AND l.id = asked.id FOR UPDATE
        ) AS it
    ), gone AS (
        DELETE FROM {schema}.letters AS l USING those WHERE l.ctid = those.at RETURNING l.id, l.store, l.size
    ), counted AS (
        INSERT INTO {schema}.letter_sums (queue, store, letters, bytes)
        SELECT q, store, -count(*), -sum(size) FROM gone GROUP BY store
    )
    SELECT array_agg(id) INTO dropped FROM gone;
    RETURN coalesce(dropped, '{}');
END $$;
