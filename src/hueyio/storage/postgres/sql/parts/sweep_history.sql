-- Forget some of the history that is too much or too old; return how many rows.
CREATE OR REPLACE FUNCTION {schema}.sweep_history_1(q int, now float8) RETURNS int {inner} AS $$
DECLARE
    keep float8 := {schema}.bound_1('keep_history');
    expired float8 := now - {schema}.bound_1('history_ttl');
    oldest record;
    newest bigint;
    final bigint;
    dropped int;
BEGIN
    SELECT total INTO newest FROM {schema}.history WHERE queue = q ORDER BY number DESC LIMIT 1;
    SELECT total, at INTO oldest FROM {schema}.history WHERE queue = q ORDER BY number LIMIT 1;
    IF NOT FOUND OR (oldest.total > newest - keep AND oldest.at > expired) THEN
        RETURN 0;
    END IF;
    SELECT max(it.number) INTO final FROM (
        SELECT number, total, at FROM {schema}.history WHERE queue = q ORDER BY number LIMIT 1000
    ) AS it WHERE it.total <= newest - keep OR it.at <= expired;
    DELETE FROM {schema}.history WHERE queue = q AND number <= final;
    GET DIAGNOSTICS dropped = ROW_COUNT;
    RETURN dropped;
END $$;
