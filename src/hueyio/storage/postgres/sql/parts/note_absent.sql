-- Give the latch of a task that cannot be added the result of one that is absent. rest: the remainder of that task's
-- header.
CREATE OR REPLACE FUNCTION {schema}.note_absent_1(q int, rest jsonb) RETURNS void {inner} AS $$
DECLARE
    missing bytea;
BEGIN
    IF rest ->> 3 IS NULL OR rest ->> 4 IS NULL THEN
        RETURN;
    END IF;
    SELECT absent INTO missing FROM {schema}.latches WHERE queue = q AND key = rest ->> 3;
    IF FOUND THEN
        PERFORM {schema}.note_result_1(q, rest ->> 3, (rest ->> 4)::int, missing, NULL);
    END IF;
END $$;
