-- Which way ids ended, and up to when what ended may have been forgotten (in each row; one without a letter, if none
-- was asked for). Of what is beyond the bounds a sweep leaves no more than it deletes at once.
CREATE OR REPLACE FUNCTION {schema}.ended_1(q int, wanted text[], bounds jsonb)
RETURNS TABLE (letter text, since float8) {entry} AS $$
DECLARE
    keep float8 := bounds ->> 'keep_ended';
    now float8 := {schema}.now_1();
    newest bigint;
    oldest record;
    latest float8;
    ends jsonb;
BEGIN
    PERFORM {schema}.use_bounds_1(bounds);
    IF keep = 0 THEN
        latest := now;
    ELSE
        SELECT forgotten_at INTO latest FROM {schema}.queues WHERE queue = q;
        SELECT total INTO newest FROM {schema}.ended WHERE queue = q ORDER BY number DESC LIMIT 1;
        SELECT total, at INTO oldest FROM {schema}.ended WHERE queue = q ORDER BY number LIMIT 1;
        IF oldest.total <= newest - keep OR oldest.at <= now - 86400.0 THEN  -- ENDED_AGE
            SELECT greatest(latest, max(it.at)) INTO latest FROM (
                SELECT at, total FROM {schema}.ended WHERE queue = q ORDER BY number LIMIT 1000
            ) AS it WHERE it.total <= newest - keep OR it.at <= now - 86400.0;
        END IF;
    END IF;
    ends := {schema}.find_all_ended_1(q, wanted);
    RETURN QUERY SELECT ends ->> it.id, latest FROM unnest(wanted) WITH ORDINALITY AS it (id, n) ORDER BY it.n;
    IF NOT FOUND THEN
        RETURN QUERY SELECT NULL::text, latest;
    END IF;
END $$;
