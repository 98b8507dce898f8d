-- Delete keys; return how many were there.
CREATE OR REPLACE FUNCTION {schema}.delete_1(q int, of_area int, names text[]) RETURNS bigint {entry} AS $$
BEGIN
    RETURN {schema}.drop_keys_1(q, of_area, names);
END $$;
