-- One of the bounds that this transaction uses.
CREATE OR REPLACE FUNCTION {schema}.bound_1(bound text) RETURNS float8 {inner} AS $$
BEGIN
    RETURN current_setting('hueyio.bounds')::jsonb ->> bound;
END $$;
