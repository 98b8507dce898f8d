-- Give a permit back, if this owner (NULL: nobody) holds it.
CREATE OR REPLACE FUNCTION {schema}.release_1(q int, name text, token text, holder text) RETURNS bool {entry} AS $$
DECLARE
    content bytea;
    permits jsonb;
BEGIN
    SELECT value INTO content FROM {schema}.keys WHERE queue = q AND area = 3 AND key = name FOR UPDATE;
    permits := {schema}.permits_1(content, {schema}.now_1());
    IF NOT permits ? token OR permits -> token ->> 'owner' IS DISTINCT FROM holder THEN
        RETURN false;
    END IF;
    PERFORM {schema}.write_permits_1(q, name, permits - token);
    RETURN true;
END $$;
