-- Drop some of the failed tasks that are too old, and the latches that were kept for them; return how many.
CREATE OR REPLACE FUNCTION {schema}.sweep_letters_1(q int, now float8) RETURNS int {inner} AS $$
DECLARE
    expired float8 := now - {schema}.bound_1('failed_ttl');
    oldest float8;
    dropped text[];
BEGIN
    SELECT buried_at INTO oldest FROM {schema}.letters WHERE queue = q AND store = 'f' ORDER BY number LIMIT 1;
    IF NOT FOUND OR oldest > expired THEN
        RETURN 0;
    END IF;
    SELECT array_agg(it.id) INTO dropped FROM (
        SELECT id, buried_at FROM {schema}.letters WHERE queue = q AND store = 'f' ORDER BY number LIMIT 1000
    ) AS it WHERE it.buried_at <= expired;
    dropped := {schema}.drop_letters_1(q, dropped);
    PERFORM {schema}.drop_kept_1(q, dropped);
    RETURN cardinality(dropped);
END $$;
