-- Write the permits of a locked key; it is gone with the last.
CREATE OR REPLACE FUNCTION {schema}.write_permits_1(q int, name text, permits jsonb) RETURNS void {inner} AS $$
DECLARE
    last float8;
BEGIN
    IF permits = '{}' THEN
        DELETE FROM {schema}.keys WHERE queue = q AND area = 3 AND key = name;
        RETURN;
    END IF;
    SELECT nullif(max({schema}.end_of_permit_1(it.value)), 'infinity') INTO last FROM jsonb_each(permits) AS it;
    UPDATE {schema}.keys SET value = convert_to(permits::text, 'UTF8'), expires = last
    WHERE queue = q AND area = 3 AND key = name;
END $$;
