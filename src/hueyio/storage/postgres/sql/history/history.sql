-- Entries of the history, the latest first, until they have `room` tasks, and the one that follows. What is beyond the
-- bounds is left out: a sweep has not been there yet.
CREATE OR REPLACE FUNCTION {schema}.history_1(q int, last bigint, most int, room bigint, bounds jsonb)
RETURNS TABLE (number bigint, at float8, ids text[], data bytea) {entry} AS $$
#variable_conflict use_column
DECLARE
    expired float8 := {schema}.now_1() - (bounds ->> 'history_ttl')::float8;
    keep bigint := bounds ->> 'keep_history';
    newest bigint;
    run record;
BEGIN
    SELECT total INTO newest FROM {schema}.history WHERE queue = q ORDER BY number DESC LIMIT 1;
    FOR run IN
        SELECT it.number, it.at, it.ids, it.data FROM {schema}.history AS it
        WHERE it.queue = q AND it.number <= last AND it.total > newest - keep AND it.at > expired
        ORDER BY it.number DESC LIMIT most
    LOOP
        number := run.number;
        at := run.at;
        ids := run.ids;
        data := run.data;
        RETURN NEXT;
        EXIT WHEN room <= 0;
        room := room - cardinality(run.ids);
    END LOOP;
END $$;
