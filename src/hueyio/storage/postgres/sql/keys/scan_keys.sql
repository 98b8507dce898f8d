-- The keys of an area with their values.
CREATE OR REPLACE FUNCTION {schema}.scan_keys_1(q int, of_area int, most bigint)
RETURNS TABLE (name text, content bytea) {reader} AS $$
DECLARE
    now float8 := {schema}.now_1();
BEGIN
    RETURN QUERY SELECT it.key, it.value FROM {schema}.keys AS it
        WHERE it.queue = q AND it.area = of_area AND (it.expires IS NULL OR it.expires > now)
        ORDER BY it.key LIMIT most;
END $$;
