-- Remember which way ids ended, a letter each.
CREATE OR REPLACE FUNCTION {schema}.note_ended_1(q int, over text[], letters text) RETURNS void {inner} AS $$
DECLARE
    now float8 := {schema}.now_1();
    before bigint;
BEGIN
    IF cardinality(over) = 0 OR {schema}.bound_1('keep_ended') = 0 THEN
        RETURN;
    END IF;
    SELECT total INTO before FROM {schema}.ended WHERE queue = q ORDER BY number DESC LIMIT 1;
    INSERT INTO {schema}.ended (queue, total, at, first, last, kinds, ids)
    SELECT q, coalesce(before, 0) + cardinality(over), now, min(id COLLATE "C"), max(id COLLATE "C"),
        letters, over
    FROM unnest(over) AS id;
END $$;
