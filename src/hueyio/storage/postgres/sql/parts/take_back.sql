-- Take a member's result back, so that its next one counts; false if the callback has been enqueued, or is gone.
-- rest: the remainder of the member's header.
CREATE OR REPLACE FUNCTION {schema}.take_back_1(q int, rest jsonb) RETURNS bool {inner} AS $$
BEGIN
    IF rest ->> 3 IS NULL OR rest ->> 4 IS NULL THEN
        RETURN true;  -- it is no member
    END IF;
    PERFORM FROM {schema}.latches WHERE queue = q AND key = rest ->> 3 FOR UPDATE;
    IF {schema}.is_alive_1(q, rest ->> 3) OR NOT {schema}.is_live_1(q, rest ->> 3) THEN
        RETURN false;
    END IF;
    DELETE FROM {schema}.reports WHERE queue = q AND key = rest ->> 3 AND "position" = (rest ->> 4)::int;
    IF FOUND THEN
        UPDATE {schema}.latches SET reported = reported - 1 WHERE queue = q AND key = rest ->> 3;
    END IF;
    RETURN true;
END $$;
