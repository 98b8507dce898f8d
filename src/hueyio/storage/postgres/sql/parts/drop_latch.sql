-- Delete a latch and the results of its members.
CREATE OR REPLACE FUNCTION {schema}.drop_latch_1(q int, name text) RETURNS void {inner} AS $$
BEGIN
    DELETE FROM {schema}.latches WHERE queue = q AND key = name;
    DELETE FROM {schema}.reports WHERE queue = q AND key = name;
END $$;
