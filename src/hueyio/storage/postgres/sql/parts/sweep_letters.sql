-- Drop some of the failed tasks that are too old, and the latches that were kept for them; return how many.
CREATE OR REPLACE FUNCTION {schema}.sweep_letters_1(q int, now float8) RETURNS int {inner} AS $$
DECLARE
    dropped text[];
BEGIN
    SELECT array_agg(it.id) INTO dropped FROM (
        SELECT id, buried_at FROM {schema}.letters WHERE queue = q AND store = 'f' ORDER BY number LIMIT 1000
    ) AS it WHERE it.buried_at <= now - {schema}.bound_1('failed_ttl');
    IF dropped IS NULL THEN
        RETURN 0;
    END IF;
    dropped := {schema}.drop_letters_1(q, dropped);
    PERFORM {schema}.drop_kept_1(q, dropped);
    RETURN cardinality(dropped);
END $$;
