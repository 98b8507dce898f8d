-- Give a key that holds exactly this a new time to live.
CREATE OR REPLACE FUNCTION {schema}.compare_extend_1(q int, of_area int, name text, content bytea, ttl float8)
RETURNS bool {entry} AS $$
BEGIN
    UPDATE {schema}.keys SET expires = {schema}.now_1() + ttl
    WHERE queue = q AND area = of_area AND key = name AND value = content
        AND (expires IS NULL OR expires > {schema}.now_1());
    RETURN FOUND;
END $$;
