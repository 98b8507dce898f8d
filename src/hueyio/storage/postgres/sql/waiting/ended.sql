-- Which way ids ended, and up to when what ended may have been forgotten (in each row).
CREATE OR REPLACE FUNCTION {schema}.ended_1(q int, wanted text[], bounds jsonb)
RETURNS TABLE (letter text, since float8) {entry} AS $$
DECLARE
    keep float8 := bounds ->> 'keep_ended';
    newest bigint;
    latest float8;
BEGIN
    PERFORM {schema}.use_bounds_1(bounds);
    IF keep = 0 THEN
        latest := {schema}.now_1();
    ELSE
        SELECT forgotten_at INTO latest FROM {schema}.queues WHERE queue = q;
        SELECT total INTO newest FROM {schema}.ended WHERE queue = q ORDER BY number DESC LIMIT 1;
        SELECT greatest(latest, max(it.at)) INTO latest FROM (
            SELECT at, total FROM {schema}.ended WHERE queue = q ORDER BY number LIMIT 10000
        ) AS it WHERE it.total <= newest - keep OR it.at <= {schema}.now_1() - 86400.0;
    END IF;
    RETURN QUERY SELECT {schema}.find_ended_1(q, it.id), latest FROM unnest(wanted) WITH ORDINALITY AS it (id, n)
        ORDER BY it.n;
    IF NOT FOUND THEN
        RETURN QUERY SELECT NULL::text, latest;
    END IF;
END $$;
