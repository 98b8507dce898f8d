-- Forget some of the tombstones that are too many or too old, and note of which time they were; return how many rows.
CREATE OR REPLACE FUNCTION {schema}.sweep_ended_1(q int, now float8) RETURNS int {inner} AS $$
DECLARE
    keep float8 := {schema}.bound_1('keep_ended');
    expired float8 := now - 86400.0;  -- ENDED_AGE
    oldest record;
    newest bigint;
    final bigint;
    latest float8;
    dropped int;
BEGIN
    SELECT total INTO newest FROM {schema}.ended WHERE queue = q ORDER BY number DESC LIMIT 1;
    SELECT total, at INTO oldest FROM {schema}.ended WHERE queue = q ORDER BY number LIMIT 1;
    IF NOT FOUND OR (oldest.total > newest - keep AND oldest.at > expired) THEN
        RETURN 0;
    END IF;
    SELECT max(it.number), max(it.at) INTO final, latest FROM (
        SELECT number, total, at FROM {schema}.ended WHERE queue = q ORDER BY number LIMIT 1000
    ) AS it WHERE it.total <= newest - keep OR it.at <= expired;
    DELETE FROM {schema}.ended WHERE queue = q AND number <= final;
    GET DIAGNOSTICS dropped = ROW_COUNT;
    UPDATE {schema}.queues SET forgotten_at = greatest(forgotten_at, latest) WHERE queue = q;
    RETURN dropped;
END $$;
