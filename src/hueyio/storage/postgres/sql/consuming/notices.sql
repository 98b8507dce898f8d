-- What others ask of an owner.
CREATE OR REPLACE FUNCTION {schema}.notices_1(q int, who text)
RETURNS TABLE (revocations bigint, paused bool, cancelled text[]) {entry} AS $$
BEGIN
    RETURN QUERY
    SELECT it.revocations, it.paused_at IS NOT NULL, ARRAY(
        SELECT f.id FROM {schema}.flags AS f
        CROSS JOIN LATERAL (SELECT t.owner, t.cancelled FROM {schema}.tasks AS t WHERE t.queue = q AND t.id = f.id) AS t
        WHERE f.queue = q AND t.owner = who AND t.cancelled
    )
    FROM {schema}.queues AS it WHERE it.queue = q;
END $$;
