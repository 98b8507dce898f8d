-- Delete the latch of a callback that is over, and let the results that its members left expire soon.
CREATE OR REPLACE FUNCTION {schema}.finish_latch_1(q int, name text) RETURNS void {inner} AS $$
DECLARE
    soon float8 := {schema}.now_1() + 600.0;  -- MEMBER_RESULT_TTL
    members text[];
BEGIN
    SELECT array_agg(id ORDER BY id) INTO members
    FROM {schema}.reports WHERE queue = q AND key = name AND id IS NOT NULL;
    WITH those AS MATERIALIZED (
        SELECT it.at FROM unnest(members) AS asked (id) CROSS JOIN LATERAL (
            SELECT k.ctid AS at FROM {schema}.keys AS k
            WHERE k.queue = q AND k.area = 0 AND k.key = asked.id FOR NO KEY UPDATE
        ) AS it
    )
    UPDATE {schema}.keys AS k SET expires = soon FROM those
    WHERE k.ctid = those.at AND (k.expires IS NULL OR k.expires > soon);
    PERFORM {schema}.drop_latch_1(q, name);
END $$;
