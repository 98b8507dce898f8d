-- Read and delete.
CREATE OR REPLACE FUNCTION {schema}.pop_1(q int, of_area int, name text) RETURNS bytea {entry} AS $$
DECLARE
    content bytea;
BEGIN
    DELETE FROM {schema}.keys
    WHERE queue = q AND area = of_area AND key = name AND (expires IS NULL OR expires > {schema}.now_1())
    RETURNING value INTO content;
    RETURN content;
END $$;
