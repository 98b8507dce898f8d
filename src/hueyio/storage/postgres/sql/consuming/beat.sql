-- Raise an owner's heartbeat; false if it was given up.
CREATE OR REPLACE FUNCTION {schema}.beat_1(queue_name text, who text) RETURNS bool {entry} AS $$
BEGIN
    UPDATE {schema}.beats SET beat = beat + 1, seen = {schema}.now_1()
    WHERE queue = (SELECT it.queue FROM {schema}.queues AS it WHERE it.name = queue_name) AND owner = who;
    RETURN FOUND;
END $$;
