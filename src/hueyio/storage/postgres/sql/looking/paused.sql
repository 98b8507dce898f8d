-- Who paused the queue, and when; no row if it is not paused.
CREATE OR REPLACE FUNCTION {schema}.paused_1(q int) RETURNS TABLE (who text, since float8) {entry} AS $$
BEGIN
    RETURN QUERY SELECT it.paused_by, it.paused_at FROM {schema}.queues AS it
        WHERE it.queue = q AND it.paused_at IS NOT NULL;
END $$;
