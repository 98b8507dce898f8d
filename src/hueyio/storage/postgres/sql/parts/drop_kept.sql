-- Drop the latches that were kept for the letters of these callbacks.
CREATE OR REPLACE FUNCTION {schema}.drop_kept_1(q int, callbacks text[]) RETURNS void {inner} AS $$
DECLARE
    name text;
BEGIN
    FOR name IN SELECT key FROM {schema}.latches WHERE queue = q AND key = ANY (callbacks) ORDER BY key LOOP
        IF NOT {schema}.is_live_1(q, name) THEN
            PERFORM {schema}.drop_latch_1(q, name);
        END IF;
    END LOOP;
END $$;
