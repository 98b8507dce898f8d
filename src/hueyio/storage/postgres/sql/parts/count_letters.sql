-- How many letters a store has, and how many bytes they take.
CREATE OR REPLACE FUNCTION {schema}.count_letters_1(q int, of_store "char") RETURNS bigint[] {inner} AS $$
BEGIN
    RETURN (
        SELECT ARRAY[coalesce(sum(letters), 0), coalesce(sum(bytes), 0)]::bigint[]
        FROM {schema}.letter_sums WHERE queue = q AND store = of_store
    );
END $$;
