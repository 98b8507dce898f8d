-- Forget some of the attempts that are too many or too old; return how many.
CREATE OR REPLACE FUNCTION {schema}.sweep_attempts_1(q int, now float8) RETURNS int {inner} AS $$
DECLARE
    newest bigint;
    last bigint;
    latest float8;
    dropped int := 0;
BEGIN
    SELECT total INTO newest FROM {schema}.attempts WHERE queue = q ORDER BY number DESC LIMIT 1;
    SELECT max(it.number), max(it.at) INTO last, latest FROM (
        SELECT number, total, at FROM {schema}.attempts WHERE queue = q ORDER BY number LIMIT 1000
    ) AS it WHERE it.total <= newest - {schema}.bound_1('keep_history')
        OR it.at <= now - {schema}.bound_1('history_ttl');
    IF last IS NOT NULL THEN
        DELETE FROM {schema}.attempts WHERE queue = q AND number <= last;
        GET DIAGNOSTICS dropped = ROW_COUNT;
    END IF;
    RETURN dropped;
END $$;
