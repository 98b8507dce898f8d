-- Delete a key that holds exactly this.
CREATE OR REPLACE FUNCTION {schema}.compare_delete_1(q int, of_area int, name text, content bytea)
RETURNS bool {entry} AS $$
BEGIN
    DELETE FROM {schema}.keys
    WHERE queue = q AND area = of_area AND key = name AND value = content
        AND (expires IS NULL OR expires > {schema}.now_1());
    RETURN FOUND;
END $$;
