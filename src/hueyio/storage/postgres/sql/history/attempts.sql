-- What is remembered of the attempts of each id, the latest last; NULL: of none.
CREATE OR REPLACE FUNCTION {schema}.attempts_1(q int, wanted text[], most int, bounds jsonb)
RETURNS TABLE (known bytea[]) {entry} AS $$
DECLARE
    expired float8 := {schema}.now_1() - (bounds ->> 'history_ttl')::float8;
    keep bigint := bounds ->> 'keep_history';
    newest bigint;
BEGIN
    SELECT total INTO newest FROM {schema}.attempts WHERE queue = q ORDER BY number DESC LIMIT 1;
    RETURN QUERY SELECT (
        SELECT array_agg(last.data ORDER BY last.number) FROM (
            SELECT it.number, it.data FROM {schema}.attempts AS it
            WHERE it.queue = q AND it.id = asked.id AND it.total > newest - keep
                AND it.at > expired
            ORDER BY it.number DESC LIMIT most
        ) AS last
    ) FROM unnest(wanted) WITH ORDINALITY AS asked (id, n) ORDER BY asked.n;
END $$;
