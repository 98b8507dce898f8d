-- Drop the latches that were kept for the letters of these callbacks.
CREATE OR REPLACE FUNCTION {schema}.drop_kept_1(q int, callbacks text[]) RETURNS void {inner} AS $$
DECLARE
    name text;
BEGIN
    FOR name IN
        SELECT it.key FROM (SELECT id FROM unnest(callbacks) AS id ORDER BY id COLLATE "C") AS asked
        CROSS JOIN LATERAL (
            SELECT l.key FROM {schema}.latches AS l WHERE l.queue = q AND l.key = asked.id OFFSET 0
        ) AS it
    LOOP
        IF NOT {schema}.is_live_1(q, name) THEN
            PERFORM {schema}.drop_latch_1(q, name);
        END IF;
    END LOOP;
END $$;
