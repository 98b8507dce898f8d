-- Delete keys; return how many were there.
CREATE OR REPLACE FUNCTION {schema}.delete_1(q int, of_area int, names text[]) RETURNS bigint {entry} AS $$
DECLARE
    now float8 := {schema}.now_1();
    there bigint;
BEGIN
    DELETE FROM {schema}.keys
    WHERE queue = q AND area = of_area AND key = ANY (names) AND (expires IS NULL OR expires > now);
    GET DIAGNOSTICS there = ROW_COUNT;
    RETURN there;
END $$;
