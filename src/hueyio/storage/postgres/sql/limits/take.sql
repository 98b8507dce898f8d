-- Take a token from a bucket, or say how long to wait. The value is the time at which the bucket is full again.
CREATE OR REPLACE FUNCTION {schema}.take_1(q int, name text, rate float8, burst int) RETURNS float8 {entry} AS $$
DECLARE
    content bytea := {schema}.lock_key_1(q, 4, name);
    now float8 := {schema}.now_1();
    full_at float8 := greatest(coalesce(encode(content, 'escape')::float8, 0), now);
    wait float8 := full_at - now - (burst - 1) / rate;
BEGIN
    IF wait > 1e-6 THEN
        RETURN wait;
    END IF;
    full_at := full_at + 1 / rate;
    UPDATE {schema}.keys SET value = convert_to(full_at::text, 'UTF8'), expires = full_at
    WHERE queue = q AND area = 4 AND key = name;
    RETURN 0;
END $$;
