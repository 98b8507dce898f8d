-- Let the permits of an owner whose lease has ended last only for their grace.
CREATE OR REPLACE FUNCTION {schema}.end_permits_1(q int, holder text) RETURNS void {inner} AS $$
DECLARE
    now float8 := {schema}.now_1();
    name text;
    permits jsonb;
BEGIN
    FOR name IN
        SELECT it.key FROM {schema}.keys AS it WHERE it.queue = q AND it.area = 3 AND jsonb_path_exists(
            {schema}.permits_1(it.value, now), '$.* ? (@.owner == $owner)', jsonb_build_object('owner', holder)
        ) ORDER BY it.key
    LOOP
        SELECT {schema}.permits_1(value, now) INTO permits FROM {schema}.keys
        WHERE queue = q AND area = 3 AND key = name FOR UPDATE;
        CONTINUE WHEN NOT FOUND;
        SELECT jsonb_object_agg(it.key, CASE
            WHEN it.value ->> 'owner' IS DISTINCT FROM holder THEN it.value
            ELSE it.value - 'owner' - 'grace'
                || jsonb_build_object('until', now + coalesce((it.value ->> 'grace')::float8, 0))
        END) INTO permits FROM jsonb_each(permits) AS it;
        PERFORM {schema}.write_permits_1(q, name, coalesce(permits, '{}'));
    END LOOP;
END $$;
