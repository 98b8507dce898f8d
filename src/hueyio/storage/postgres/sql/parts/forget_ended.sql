-- Let nothing be remembered of ids that live again.
CREATE OR REPLACE FUNCTION {schema}.forget_ended_1(q int, alive text[]) RETURNS void {inner} AS $$
BEGIN
    PERFORM {schema}.note_ended_1(q, alive, repeat('-', cardinality(alive)));
END $$;
