-- The latest entry of the history that has an id. No index finds one: that would cost each batch more than a look
-- through all rows now and then.
CREATE OR REPLACE FUNCTION {schema}.find_run_1(q int, wanted text, bounds jsonb)
RETURNS TABLE (number bigint, at float8, ids text[], data bytea) {entry} AS $$
#variable_conflict use_column
DECLARE
    expired float8 := {schema}.now_1() - (bounds ->> 'history_ttl')::float8;
    keep bigint := bounds ->> 'keep_history';
    newest bigint;
BEGIN
    SELECT total INTO newest FROM {schema}.history WHERE queue = q ORDER BY number DESC LIMIT 1;
    RETURN QUERY SELECT it.number, it.at, it.ids, it.data FROM {schema}.history AS it
        WHERE it.queue = q AND it.total > newest - keep
            AND it.at > expired AND wanted = ANY (it.ids)
        ORDER BY it.number DESC LIMIT 1;
END $$;
