-- Epoch seconds. now() of the server stands still in a transaction.
CREATE OR REPLACE FUNCTION {schema}.now_1() RETURNS float8 {inner} AS $$
BEGIN
    RETURN extract(epoch FROM clock_timestamp())::float8;
END $$;
