-- Append lines to the audit log, which keeps the last ones.
CREATE OR REPLACE FUNCTION {schema}.note_1(q int, contents bytea[], keep int) RETURNS void {entry} AS $$
DECLARE
    beyond bigint;
BEGIN
    INSERT INTO {schema}.audit (queue, at, line)
    SELECT q, {schema}.now_1(), it.content FROM unnest(contents) WITH ORDINALITY AS it (content, n) ORDER BY it.n;
    SELECT number INTO beyond FROM {schema}.audit WHERE queue = q ORDER BY number DESC OFFSET keep LIMIT 1;
    IF FOUND THEN
        DELETE FROM {schema}.audit WHERE queue = q AND number <= beyond;
    END IF;
END $$;
