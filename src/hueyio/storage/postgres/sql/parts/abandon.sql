-- Drop the latches of deleted tasks: those that they collect, and those that can never be complete. rests: the
-- remainders of their headers.
CREATE OR REPLACE FUNCTION {schema}.abandon_1(q int, deleted text[], rests jsonb[]) RETURNS void {inner} AS $$
DECLARE
    latch {schema}.latches;
    rest jsonb;
BEGIN
    FOR i IN 1 .. cardinality(deleted) LOOP
        rest := rests[i];
        IF (rest ->> 8)::bool THEN
            PERFORM {schema}.finish_latch_1(q, deleted[i]);
        END IF;
        WHILE rest ->> 3 IS NOT NULL AND NOT {schema}.is_alive_1(q, rest ->> 3) LOOP
            SELECT * INTO latch FROM {schema}.latches WHERE queue = q AND key = rest ->> 3;
            EXIT WHEN NOT FOUND;
            PERFORM {schema}.drop_latch_1(q, latch.key);
            PERFORM {schema}.cancel_all_1(q, {schema}.unname_1(q, latch.key));
            rest := latch.more;
        END LOOP;
    END LOOP;
END $$;
