-- Take results of members; answer a letter each: f if it was the last of its latch and the callback is enqueued, else
-- a. Those of one latch are counted together: each change of its row would make the next one slower.
CREATE OR REPLACE FUNCTION {schema}.note_results_1(q int, names text[], places int[], results bytea[], members text[])
RETURNS text {inner} AS $$
DECLARE
    answers text := repeat('a', cardinality(names));
    it record;
BEGIN
    PERFORM FROM (SELECT DISTINCT name COLLATE "C" AS name FROM unnest(names) AS name ORDER BY 1) AS asked
    CROSS JOIN LATERAL (SELECT FROM {schema}.latches AS l WHERE l.queue = q AND l.key = asked.name FOR UPDATE) AS it;
    FOR it IN
        WITH given AS MATERIALIZED (
            SELECT g.name, g.place, g.result, g.member, g.n
            FROM unnest(names, places, results, members) WITH ORDINALITY AS g (name, place, result, member, n)
            CROSS JOIN LATERAL (
                SELECT l.size FROM {schema}.latches AS l WHERE l.queue = q AND l.key = g.name OFFSET 0
            ) AS latch
            WHERE g.place >= 0 AND g.place < latch.size
        ), kept AS (
            INSERT INTO {schema}.reports (queue, key, "position", id, value)
            SELECT DISTINCT ON (name, place) q, name, place, member, result FROM given ORDER BY name, place, n
            ON CONFLICT DO NOTHING
            RETURNING key, "position"
        )
        SELECT kept.key, count(DISTINCT kept."position")::int AS more, max(first.n)::int AS last
        FROM kept CROSS JOIN LATERAL (
            SELECT min(given.n) AS n FROM given WHERE given.name = kept.key AND given.place = kept."position"
        ) AS first
        GROUP BY kept.key ORDER BY 3
    LOOP
        UPDATE {schema}.latches SET reported = reported + it.more
        WHERE queue = q AND key = it.key AND reported + it.more >= size;
        IF FOUND THEN
            IF {schema}.fire_1(q, it.key) THEN
                answers := overlay(answers PLACING 'f' FROM it.last FOR 1);
            END IF;
        ELSE
            UPDATE {schema}.latches SET reported = reported + it.more WHERE queue = q AND key = it.key;
        END IF;
    END LOOP;
    RETURN answers;
END $$;
