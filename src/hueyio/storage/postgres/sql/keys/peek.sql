-- Read values in the order of their keys; NULL for what is not there.
CREATE OR REPLACE FUNCTION {schema}.peek_1(q int, of_area int, names text[]) RETURNS TABLE (content bytea) {entry} AS $$
DECLARE
    now float8 := {schema}.now_1();
BEGIN
    RETURN QUERY SELECT (
        SELECT it.value FROM {schema}.keys AS it
        WHERE it.queue = q AND it.area = of_area AND it.key = asked.name
            AND (it.expires IS NULL OR it.expires > now)
    ) FROM unnest(names) WITH ORDINALITY AS asked (name, n) ORDER BY asked.n;
END $$;
