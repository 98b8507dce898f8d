-- Delete letters of one store, of these ids those that were buried before a time (NULL: any), or all (NULL); return how
-- many.
CREATE OR REPLACE FUNCTION {schema}.purge_1(q int, wanted text[], of_store text, until float8)
RETURNS bigint {entry} AS $$
DECLARE
    dropped text[];
BEGIN
    IF wanted IS NULL THEN
        RETURN {schema}.drop_all_letters_1(q, of_store::"char");
    END IF;
    SELECT array_agg(it.id) INTO dropped FROM (
        SELECT l.id FROM (SELECT id FROM unnest(wanted) AS id ORDER BY id COLLATE "C") AS asked
        CROSS JOIN LATERAL (
            SELECT * FROM {schema}.letters AS l WHERE l.queue = q AND l.id = asked.id FOR UPDATE
        ) AS l
        WHERE l.store = of_store::"char" AND (until IS NULL OR l.buried_at < until)
    ) AS it;
    dropped := {schema}.drop_letters_1(q, dropped);
    PERFORM {schema}.drop_kept_1(q, dropped);
    RETURN cardinality(dropped);
END $$;
