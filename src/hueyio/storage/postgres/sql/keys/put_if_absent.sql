-- Write a value unless one is there whose time is not over.
CREATE OR REPLACE FUNCTION {schema}.put_if_absent_1(q int, of_area int, name text, content bytea, ttl float8)
RETURNS bool {entry} AS $$
BEGIN
    INSERT INTO {schema}.keys AS known (queue, area, key, value, expires)
    VALUES (q, of_area, name, content, {schema}.now_1() + ttl)
    ON CONFLICT (queue, area, key) DO UPDATE SET value = excluded.value, expires = excluded.expires
        WHERE known.expires <= {schema}.now_1();
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM {schema}.tell_written_1(q, of_area);
    RETURN true;
END $$;
