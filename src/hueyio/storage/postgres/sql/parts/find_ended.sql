-- The letter of the way in which an id ended, NULL if nothing is remembered of it. The newest row that has it counts.
CREATE OR REPLACE FUNCTION {schema}.find_ended_1(q int, wanted text) RETURNS text {inner} AS $$
DECLARE
    keep float8 := {schema}.bound_1('keep_ended');
    now float8 := {schema}.now_1();
    forgotten bigint;
    letter text;
BEGIN
    IF keep = 0 THEN
        RETURN NULL;
    END IF;
    SELECT total - keep INTO forgotten FROM {schema}.ended WHERE queue = q ORDER BY number DESC LIMIT 1;
    SELECT substr(kinds, array_position(ids, wanted), 1) INTO letter FROM {schema}.ended
    WHERE queue = q AND last >= wanted AND first <= wanted AND total > forgotten
        AND at > now - 86400.0  -- ENDED_AGE
        AND wanted = ANY (ids)
    ORDER BY number DESC LIMIT 1;
    RETURN nullif(letter, '-');
END $$;

-- The same for many, as an object; what nothing is remembered of is not in it. Of more than a few each row that lies
-- between the first and the last of them is read once, for all that it has: together they are mostly of one time.
CREATE OR REPLACE FUNCTION {schema}.find_all_ended_1(q int, wanted text[]) RETURNS jsonb {inner} AS $$
DECLARE
    keep float8 := {schema}.bound_1('keep_ended');
    now float8 := {schema}.now_1();
    asked jsonb := (SELECT jsonb_object_agg(id, 1) FROM unnest(wanted) AS id);
    lowest text COLLATE "C" := (SELECT min(id COLLATE "C") FROM unnest(wanted) AS id);
    highest text COLLATE "C" := (SELECT max(id COLLATE "C") FROM unnest(wanted) AS id);
    forgotten bigint;
BEGIN
    IF keep = 0 OR asked IS NULL THEN
        RETURN '{}';
    END IF;
    IF cardinality(wanted) <= 8 THEN
        RETURN (SELECT jsonb_object_agg(id, {schema}.find_ended_1(q, id)) FROM unnest(wanted) AS id);
    END IF;
    SELECT total - keep INTO forgotten FROM {schema}.ended WHERE queue = q ORDER BY number DESC LIMIT 1;
    RETURN coalesce((
        SELECT jsonb_object_agg(one.id, nullif(substr(e.kinds, one.n::int, 1), '-') ORDER BY e.number) FROM (
            SELECT it.number, it.kinds, it.ids FROM {schema}.ended AS it
            WHERE it.queue = q AND it.last >= lowest AND it.first <= highest AND it.total > forgotten
                AND it.at > now - 86400.0  -- ENDED_AGE
                AND EXISTS (SELECT FROM unnest(wanted) AS id WHERE id >= it.first AND id <= it.last)
            OFFSET 0
        ) AS e CROSS JOIN LATERAL unnest(e.ids) WITH ORDINALITY AS one (id, n)
        WHERE asked ? one.id
    ), '{}');
END $$;
