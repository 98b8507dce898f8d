-- Epoch seconds.
CREATE OR REPLACE FUNCTION {schema}.time_1() RETURNS float8 {inner} AS $$
BEGIN
    RETURN {schema}.now_1();
END $$;
