-- Entries of the history, the latest first. What is beyond the bounds is left out: a sweep has not been there yet.
CREATE OR REPLACE FUNCTION {schema}.history_1(q int, last bigint, most int, bounds jsonb)
RETURNS TABLE (number bigint, at float8, ids text[], data bytea) {entry} AS $$
#variable_conflict use_column
DECLARE
    newest bigint;
BEGIN
    SELECT total INTO newest FROM {schema}.history WHERE queue = q ORDER BY number DESC LIMIT 1;
    RETURN QUERY SELECT it.number, it.at, it.ids, it.data FROM {schema}.history AS it
        WHERE it.queue = q AND it.number <= last AND it.total > newest - (bounds ->> 'keep_history')::bigint
            AND it.at > {schema}.now_1() - (bounds ->> 'history_ttl')::float8
        ORDER BY it.number DESC LIMIT most;
END $$;
