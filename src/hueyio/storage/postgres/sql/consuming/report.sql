-- Keep the progress of a running task and pass it on to its followers; false if the receipt is not in force.
CREATE OR REPLACE FUNCTION {schema}.report_1(q int, task_id text, who text, times int, what bytea) RETURNS bool {entry} AS $$
DECLARE
    message text;
    listener text;
BEGIN
    UPDATE {schema}.tasks SET progress = what
    WHERE queue = q AND id = task_id AND owner = who AND deliveries = times;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    FOR listener IN SELECT client FROM {schema}.followers WHERE queue = q AND id = task_id LOOP
        IF message IS NULL THEN
            message := jsonb_build_array(task_id, translate(encode(what, 'base64'), E'\n', ''))::text;
            IF octet_length(message) > 7500 THEN
                message := jsonb_build_array(task_id, NULL)::text;
            END IF;
        END IF;
        CONTINUE WHEN octet_length(message) > 7500;  -- an id that long is not told of: its followers see the end
        PERFORM pg_notify('{schema}.c' || listener, 'p' || message);
    END LOOP;
    RETURN true;
END $$;
