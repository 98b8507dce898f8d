-- Take one of `size` permits, if one is free or is the token's already. The lock of the heartbeat's row keeps the end
-- of the lease away until the permit is there to be ended with it.
CREATE OR REPLACE FUNCTION {schema}.acquire_1(
    q int, name text, token text, size int, lease float8, holder text, ttl float8
) RETURNS bool {entry} AS $$
DECLARE
    content bytea;
    now float8;
    permits jsonb;
    permit jsonb;
    is_free bool;
BEGIN
    IF holder IS NOT NULL THEN
        PERFORM FROM {schema}.beats WHERE queue = q AND owner = holder FOR KEY SHARE;
        PERFORM {schema}.require_lease_1(q, holder);
    END IF;
    content := {schema}.lock_key_1(q, 3, name);
    now := {schema}.now_1();
    permits := {schema}.permits_1(content, now);
    is_free := permits ? token OR (SELECT count(*) FROM jsonb_object_keys(permits)) < size;
    IF is_free THEN
        permit := CASE
            WHEN holder IS NULL THEN jsonb_build_object('until', now + lease)
            ELSE jsonb_build_object('owner', holder, 'grace', lease)
        END;
        IF ttl IS NOT NULL THEN
            permit := permit || jsonb_build_object('deadline', now + ttl);
        END IF;
        PERFORM {schema}.write_permits_1(q, name, permits || jsonb_build_object(token, permit));
    ELSIF content IS NULL THEN
        PERFORM {schema}.write_permits_1(q, name, '{}');
    END IF;
    RETURN is_free;
END $$;
