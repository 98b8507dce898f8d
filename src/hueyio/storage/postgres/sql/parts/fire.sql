-- Enqueue the callback of a latch; false if it cannot be added: then the latch is over.
CREATE OR REPLACE FUNCTION {schema}.fire_1(q int, name text) RETURNS bool {inner} AS $$
DECLARE
    latch {schema}.latches;
    verdict text;
BEGIN
    SELECT * INTO latch FROM {schema}.latches WHERE queue = q AND key = name;
    SELECT it.verdict INTO verdict
    FROM {schema}.add_1(q, ARRAY[{schema}.latch_callback_1(latch)], true) AS it (verdict, holder);
    IF verdict = 'a' THEN
        RETURN true;
    END IF;
    PERFORM {schema}.drop_latch_1(q, name);
    PERFORM {schema}.cancel_all_1(q, {schema}.unname_1(q, name));
    PERFORM {schema}.note_absent_1(q, latch.more);
    RETURN false;
END $$;
