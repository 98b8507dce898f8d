-- Mark bodies as started, each as far as its receipt is in force.
CREATE OR REPLACE FUNCTION {schema}.start_1(q int, who text, ids text[], times int[]) RETURNS SETOF bool {entry} AS $$
BEGIN
    FOR i IN 1..coalesce(cardinality(ids), 0) LOOP
        UPDATE {schema}.tasks SET started = true
        WHERE queue = q AND id = ids[i] AND owner = who AND deliveries = times[i];
        RETURN NEXT FOUND;
    END LOOP;
END $$;
