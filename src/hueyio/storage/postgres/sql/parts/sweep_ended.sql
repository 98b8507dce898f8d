-- Forget some of the tombstones that are too many or too old, and note of which time they were; return how many rows.
CREATE OR REPLACE FUNCTION {schema}.sweep_ended_1(q int, now float8) RETURNS int {inner} AS $$
DECLARE
    newest bigint;
    last bigint;
    latest float8;
    dropped int := 0;
BEGIN
    SELECT total INTO newest FROM {schema}.ended WHERE queue = q ORDER BY number DESC LIMIT 1;
    SELECT max(it.number), max(it.at) INTO last, latest FROM (
        SELECT number, total, at FROM {schema}.ended WHERE queue = q ORDER BY number LIMIT 1000
    ) AS it WHERE it.total <= newest - {schema}.bound_1('keep_ended') OR it.at <= now - 86400.0;
    IF last IS NOT NULL THEN
        DELETE FROM {schema}.ended WHERE queue = q AND number <= last;
        GET DIAGNOSTICS dropped = ROW_COUNT;
        UPDATE {schema}.queues SET forgotten_at = greatest(forgotten_at, latest) WHERE queue = q;
    END IF;
    RETURN dropped;
END $$;
