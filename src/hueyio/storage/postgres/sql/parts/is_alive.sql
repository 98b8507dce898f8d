-- Whether an id is queued, scheduled or running.
CREATE OR REPLACE FUNCTION {schema}.is_alive_1(q int, wanted text) RETURNS bool {inner} AS $$
BEGIN
    RETURN EXISTS (SELECT FROM {schema}.tasks WHERE queue = q AND id = wanted);
END $$;

-- Whether an id is alive or expected.
CREATE OR REPLACE FUNCTION {schema}.is_live_1(q int, wanted text) RETURNS bool {inner} AS $$
BEGIN
    RETURN EXISTS (SELECT FROM {schema}.tasks WHERE queue = q AND id = wanted)
        OR EXISTS (SELECT FROM {schema}.expected WHERE queue = q AND id = wanted);
END $$;
