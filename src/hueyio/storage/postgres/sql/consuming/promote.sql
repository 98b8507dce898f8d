-- Move what is due to the back of its lane; sweep a little of what is over.
CREATE OR REPLACE FUNCTION {schema}.promote_1(q int, until float8, most int, bounds jsonb)
RETURNS TABLE (moved int, next_eta float8, swept int, told float8) {entry} AS $$
DECLARE
    mine tid[];
    places bigint[];
    mask int;
BEGIN
    PERFORM {schema}.use_bounds_1(bounds);
    mine := ARRAY(
        SELECT ctid FROM {schema}.tasks
        WHERE queue = q AND state = 2 AND eta <= until ORDER BY eta, place LIMIT most FOR NO KEY UPDATE SKIP LOCKED
    );
    moved := cardinality(mine);
    IF moved > 0 THEN
        places := ARRAY(SELECT nextval('{schema}.places') FROM generate_series(1, moved));
        WITH ready AS (
            UPDATE {schema}.tasks SET state = 0, place = places[array_position(mine, ctid)] WHERE ctid = ANY (mine) RETURNING lane
        )
        SELECT bit_or(1 << lane) INTO mask FROM ready;
        PERFORM {schema}.ring_1(q, mask);
    END IF;
    SELECT eta INTO next_eta FROM {schema}.tasks WHERE queue = q AND state = 2 ORDER BY eta LIMIT 1;
    swept := {schema}.sweep_1(q);
    told := {schema}.now_1();
    DELETE FROM {schema}.waiters WHERE ctid = ANY (ARRAY(
        SELECT ctid FROM {schema}.waiters WHERE queue = q AND expires <= told ORDER BY expires LIMIT 1000 FOR UPDATE SKIP LOCKED
    ));
    RETURN NEXT;
END $$;
