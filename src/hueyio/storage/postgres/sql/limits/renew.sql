-- Prolong a permit that has no owner.
CREATE OR REPLACE FUNCTION {schema}.renew_1(q int, name text, token text, lease float8) RETURNS bool {entry} AS $$
DECLARE
    content bytea;
    now float8;
    permits jsonb;
BEGIN
    SELECT value INTO content FROM {schema}.keys WHERE queue = q AND area = 3 AND key = name FOR UPDATE;
    now := {schema}.now_1();
    permits := {schema}.permits_1(content, now);
    IF NOT permits ? token OR permits -> token ? 'owner' THEN
        RETURN false;
    END IF;
    PERFORM {schema}.write_permits_1(q, name, jsonb_set(permits, ARRAY[token, 'until'], to_jsonb(now + lease)));
    RETURN true;
END $$;
