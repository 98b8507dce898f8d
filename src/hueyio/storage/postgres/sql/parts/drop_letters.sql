-- Delete the letters of these ids, wherever they stand; return the ids of those that were there.
CREATE OR REPLACE FUNCTION {schema}.drop_letters_1(q int, unwanted text[]) RETURNS text[] {inner} AS $$
DECLARE
    dropped text[];
BEGIN
    WITH gone AS (
        DELETE FROM {schema}.letters WHERE queue = q AND id = ANY (unwanted) RETURNING id, store, size
    ), counted AS (
        INSERT INTO {schema}.letter_sums (queue, store, letters, bytes)
        SELECT q, store, -count(*), -sum(size) FROM gone GROUP BY store
    )
    SELECT array_agg(id) INTO dropped FROM gone;
    RETURN coalesce(dropped, '{}');
END $$;
