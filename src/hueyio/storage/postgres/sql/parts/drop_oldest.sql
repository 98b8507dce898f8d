-- Drop the oldest letters of a store, and the latches that were kept for them; return how many.
CREATE OR REPLACE FUNCTION {schema}.drop_oldest_1(q int, of_store "char", surplus bigint) RETURNS bigint {inner} AS $$
DECLARE
    dropped text[];
BEGIN
    SELECT array_agg(it.id) INTO dropped FROM (
        SELECT id FROM {schema}.letters WHERE queue = q AND store = of_store ORDER BY number LIMIT surplus
    ) AS it;
    dropped := {schema}.drop_letters_1(q, dropped);
    PERFORM {schema}.drop_kept_1(q, dropped);
    RETURN cardinality(dropped);
END $$;
