-- Remember a batch of settlements, and the attempts that ended with it, as far as they were accepted. Places count
-- from 0, answers has a letter for each settlement: a accepted, f fired, s stale, u untaken.
CREATE OR REPLACE FUNCTION {schema}.write_history_1(
    q int, ended_ids text[], places int[], known bytea,
    attempt_places int[], attempt_ids text[], attempt_data bytea[], answers text
) RETURNS void {inner} AS $$
DECLARE
    is_whole bool := answers !~ '[su]';
    accepted text[];
    now float8 := {schema}.now_1();
    before bigint;
BEGIN
    IF {schema}.bound_1('keep_history') = 0 OR {schema}.bound_1('history_ttl') = 0 THEN
        RETURN;
    END IF;
    IF is_whole THEN
        accepted := ended_ids;
    ELSE
        SELECT array_agg(CASE WHEN substr(answers, it.place + 1, 1) IN ('a', 'f') THEN it.id END ORDER BY it.n)
        INTO accepted FROM unnest(ended_ids, places) WITH ORDINALITY AS it (id, place, n);
    END IF;
    IF cardinality(array_remove(accepted, NULL)) > 0 THEN
        SELECT total INTO before FROM {schema}.history WHERE queue = q ORDER BY number DESC LIMIT 1;
        INSERT INTO {schema}.history (queue, total, at, ids, data)
        VALUES (q, coalesce(before, 0) + cardinality(accepted), now, accepted, known);
    END IF;
    IF cardinality(attempt_ids) > 0 THEN
        SELECT total INTO before FROM {schema}.attempts WHERE queue = q ORDER BY number DESC LIMIT 1;
        INSERT INTO {schema}.attempts (queue, total, at, id, data)
        SELECT q, coalesce(before, 0) + row_number() OVER (ORDER BY it.n), now, it.id, it.data
        FROM unnest(attempt_places, attempt_ids, attempt_data) WITH ORDINALITY AS it (place, id, data, n)
        WHERE is_whole OR substr(answers, it.place + 1, 1) IN ('a', 'f')
        ORDER BY it.n;
    END IF;
END $$;
