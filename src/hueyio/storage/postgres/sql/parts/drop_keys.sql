-- Delete keys of an area; return how many were there. They are looked up one by one: a plan with `= ANY` that is made
-- when the table is empty may read all of it later.
CREATE OR REPLACE FUNCTION {schema}.drop_keys_1(q int, of_area int, names text[]) RETURNS bigint {inner} AS $$
DECLARE
    now float8 := {schema}.now_1();
    there bigint;
BEGIN
    WITH those AS MATERIALIZED (
        SELECT it.at FROM (SELECT name FROM unnest(names) AS name ORDER BY name COLLATE "C") AS asked
        CROSS JOIN LATERAL (
            SELECT k.ctid AS at FROM {schema}.keys AS k
            WHERE k.queue = q AND k.area = of_area AND k.key = asked.name FOR UPDATE
        ) AS it
    )
    DELETE FROM {schema}.keys AS k USING those WHERE k.ctid = those.at AND (k.expires IS NULL OR k.expires > now);
    GET DIAGNOSTICS there = ROW_COUNT;
    RETURN there;
END $$;
