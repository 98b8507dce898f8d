-- Give the latch of a task that cannot be added the result of one that is absent. more: the rest of that task's header.
CREATE OR REPLACE FUNCTION {schema}.note_absent_1(q int, more jsonb) RETURNS void {inner} AS $$
DECLARE
    missing bytea;
BEGIN
    IF more ->> 3 IS NULL OR more ->> 4 IS NULL THEN
        RETURN;
    END IF;
    SELECT absent INTO missing FROM {schema}.latches WHERE queue = q AND key = more ->> 3;
    IF FOUND THEN
        PERFORM {schema}.note_result_1(q, more ->> 3, (more ->> 4)::int, missing, NULL);
    END IF;
END $$;
