-- Make one row of those that count the letters of a store, where they have become many.
CREATE OR REPLACE FUNCTION {schema}.fold_sums_1(q int, of_store "char") RETURNS void {inner} AS $$
BEGIN
    IF (SELECT count(*) FROM {schema}.letter_sums WHERE queue = q AND store = of_store) > 100 THEN
        WITH gone AS (
            DELETE FROM {schema}.letter_sums WHERE queue = q AND store = of_store RETURNING letters, bytes
        )
        INSERT INTO {schema}.letter_sums (queue, store, letters, bytes)
        SELECT q, of_store, sum(letters), sum(bytes) FROM gone;
    END IF;
END $$;
