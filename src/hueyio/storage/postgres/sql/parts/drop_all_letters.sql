-- Delete all letters of a store; return how many.
CREATE OR REPLACE FUNCTION {schema}.drop_all_letters_1(q int, of_store "char") RETURNS bigint {inner} AS $$
DECLARE
    dropped bigint;
    total bigint := 0;
BEGIN
    LOOP
        dropped := {schema}.drop_oldest_1(q, of_store, 10000);
        total := total + dropped;
        EXIT WHEN dropped < 10000;
    END LOOP;
    RETURN total;
END $$;
