-- End tasks that have nothing special, all in one pass of each statement; return the ids of those that were. The delete is
-- the fence too. Results, latches (keys NULL: none) and the rest stand side by side.
CREATE OR REPLACE FUNCTION {schema}.finish_plain_1(
    q int, who text, ids text[], results bytea[], until float8[], letters text, revoked text[]
) RETURNS text[] {inner} AS $$
DECLARE
    mine tid[] := '{}';
    ended text[];
    flagged text[];
    one text;
BEGIN
    mine := ARRAY(
        SELECT task.at FROM (SELECT it AS id FROM unnest(ids) AS it ORDER BY it COLLATE "C") AS asked
        CROSS JOIN LATERAL (
            SELECT t.ctid AS at FROM {schema}.tasks AS t
            WHERE t.queue = q AND t.id = asked.id AND t.owner = who AND t.deliveries = 0
                AND (t.more IS NULL OR (jsonb_array_length(t.more -> 7) = 0 AND NOT (t.more -> 8)::bool))
            LIMIT 1 FOR UPDATE
        ) AS task
    );
    IF mine = '{}' THEN
        RETURN '{}';
    END IF;
    WITH gone AS (DELETE FROM {schema}.tasks AS t WHERE t.ctid = ANY (mine) RETURNING t.id, t.cancelled)
    SELECT array_agg(id), array_agg(id) FILTER (WHERE cancelled) INTO ended, flagged FROM gone;
    IF flagged IS NOT NULL THEN
        FOREACH one IN ARRAY flagged LOOP
            DELETE FROM {schema}.flags AS f WHERE f.queue = q AND f.id = one;
        END LOOP;
        PERFORM {schema}.notice_1(q);
    END IF;
    IF cardinality(ended) = cardinality(ids) THEN
        ended := ids;
    ELSE
        SELECT array_agg(it.id), array_agg(it.result), array_agg(it.until), string_agg(it.letter, ''), array_agg(it.revoked)
        INTO ended, results, until, letters, revoked
        FROM (
            SELECT DISTINCT ON (given.id) given.*
            FROM unnest(ids, results, until, string_to_array(letters, NULL), revoked)
                WITH ORDINALITY AS given (id, result, until, letter, revoked, n)
            WHERE given.id = ANY (ended) ORDER BY given.id, given.n
        ) AS it;
    END IF;
    PERFORM {schema}.put_results_1(q, ended, results, until);
    PERFORM FROM {schema}.keys AS k WHERE k.queue = q AND k.area = 2 LIMIT 1;
    IF FOUND THEN
        PERFORM {schema}.drop_keys_1(q, 2, array_remove(revoked, NULL));
    END IF;
    PERFORM {schema}.note_ended_1(q, ended, letters);
    PERFORM {schema}.tell_1(q, ended, letters);
    RETURN ended;
END $$;
