-- Lock a key, which is made if it is not there, and return its value: NULL if there was none, or its time is over.
CREATE OR REPLACE FUNCTION {schema}.lock_key_1(q int, of_area int, name text) RETURNS bytea {inner} AS $$
DECLARE
    it {schema}.keys;
BEGIN
    LOOP
        SELECT * INTO it FROM {schema}.keys WHERE queue = q AND area = of_area AND key = name FOR UPDATE;
        EXIT WHEN FOUND;
        INSERT INTO {schema}.keys (queue, area, key, value, expires) VALUES (q, of_area, name, '', 0)
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN CASE WHEN it.expires IS NULL OR it.expires > {schema}.now_1() THEN it.value END;
END $$;
