-- The message of the stage that a task expects, if it stands here.
CREATE OR REPLACE FUNCTION {schema}.following_1(q int, more jsonb) RETURNS bytea {inner} AS $$
BEGIN
    IF more IS NULL OR jsonb_array_length(more -> 7) <> 1 THEN
        RETURN NULL;
    END IF;
    RETURN (SELECT s.data FROM {schema}.stages AS s WHERE s.queue = q AND s.id = more -> 7 ->> 0);
END $$;

-- Whether no revocation is stored, be its time over or not.
CREATE OR REPLACE FUNCTION {schema}.is_unrevoked_1(q int) RETURNS bool {inner} AS $$
BEGIN
    RETURN NOT EXISTS (SELECT FROM {schema}.keys WHERE queue = q AND area = 2);
END $$;
