-- Take a member's result back, so that its next one counts; false if the callback has been enqueued, or is gone.
-- more: the rest of the member's header.
CREATE OR REPLACE FUNCTION {schema}.take_back_1(q int, more jsonb) RETURNS bool {inner} AS $$
BEGIN
    IF more ->> 3 IS NULL OR more ->> 4 IS NULL THEN
        RETURN true;  -- it is no member
    END IF;
    PERFORM FROM {schema}.latches WHERE queue = q AND key = more ->> 3 FOR UPDATE;
    IF {schema}.is_alive_1(q, more ->> 3) OR NOT {schema}.is_live_1(q, more ->> 3) THEN
        RETURN false;
    END IF;
    DELETE FROM {schema}.reports WHERE queue = q AND key = more ->> 3 AND "position" = (more ->> 4)::int;
    IF FOUND THEN
        UPDATE {schema}.latches SET reported = reported - 1 WHERE queue = q AND key = more ->> 3;
    END IF;
    RETURN true;
END $$;
