-- The tokens that hold a permit now.
CREATE OR REPLACE FUNCTION {schema}.holders_1(q int, name text) RETURNS TABLE (token text) {entry} AS $$
BEGIN
    RETURN QUERY SELECT jsonb_object_keys({schema}.permits_1(it.value, {schema}.now_1())) FROM {schema}.keys AS it
        WHERE it.queue = q AND it.area = 3 AND it.key = name;
END $$;
