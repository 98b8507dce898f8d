-- Find the queue of this name, and say what time it is.
CREATE OR REPLACE FUNCTION {schema}.open_1(queue_name text) RETURNS TABLE (number int, told float8) {entry} AS $$
BEGIN
    SELECT queue INTO number FROM {schema}.queues WHERE name = queue_name;
    IF NOT FOUND THEN
        INSERT INTO {schema}.queues (name) VALUES (queue_name) ON CONFLICT (name) DO UPDATE SET name = excluded.name
        RETURNING queue INTO number;
    END IF;
    told := {schema}.now_1();
    RETURN NEXT;
END $$;
