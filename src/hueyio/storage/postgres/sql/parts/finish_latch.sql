-- Delete the latch of a callback that is over, and let the results that its members left expire soon.
CREATE OR REPLACE FUNCTION {schema}.finish_latch_1(q int, name text) RETURNS void {inner} AS $$
DECLARE
    soon float8 := {schema}.now_1() + 600.0;  -- MEMBER_RESULT_TTL
    members text[];
BEGIN
    SELECT array_agg(id ORDER BY id) INTO members
    FROM {schema}.reports WHERE queue = q AND key = name AND id IS NOT NULL;
    UPDATE {schema}.keys SET expires = soon
    WHERE queue = q AND area = 0 AND key = ANY (members) AND (expires IS NULL OR expires > soon);
    PERFORM {schema}.drop_latch_1(q, name);
END $$;
