-- Make tasks of letters again, each if it is still the one that was buried at that time. Answers a letter each: a
-- added, f added but its chord has fired, l alive, t taken, m missing.
CREATE OR REPLACE FUNCTION {schema}.requeue_1(
    q int, wanted text[], times float8[], items jsonb, blobs bytea[], bounds jsonb
) RETURNS text {entry} AS $$
DECLARE
    entries {schema}.entry[] := {schema}.entries_1(items, blobs);
    answers text := '';
BEGIN
    PERFORM {schema}.use_bounds_1(bounds);
    PERFORM FROM (SELECT id FROM unnest(wanted) AS id ORDER BY id COLLATE "C") AS asked
    CROSS JOIN LATERAL (SELECT FROM {schema}.letters AS l WHERE l.queue = q AND l.id = asked.id FOR UPDATE) AS it;
    FOR i IN 1 .. cardinality(wanted) LOOP
        answers := answers || {schema}.requeue_one_1(q, entries[i], times[i]);
    END LOOP;
    RETURN answers;
END $$;
