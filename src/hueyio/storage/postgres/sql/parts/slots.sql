-- The slots of a span in which something was counted, in their order.
CREATE OR REPLACE FUNCTION {schema}.slots_1(q int, of_span int, first bigint, last bigint)
RETURNS SETOF bigint {inner} AS $$
DECLARE
    number bigint := first;
BEGIN
    LOOP
        SELECT slot INTO number FROM {schema}.counts
        WHERE queue = q AND span = of_span AND slot BETWEEN number AND last ORDER BY slot LIMIT 1;
        EXIT WHEN NOT FOUND;
        RETURN NEXT number;
        number := number + 1;
    END LOOP;
END $$;
