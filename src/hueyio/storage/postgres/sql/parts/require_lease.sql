-- Raise what is LeaseLost in Python unless the owner has a live lease.
CREATE OR REPLACE FUNCTION {schema}.require_lease_1(q int, wanted text) RETURNS void {inner} AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM {schema}.holdings WHERE queue = q AND owner = wanted) THEN
        RAISE EXCEPTION USING ERRCODE = 'HU001',
            MESSAGE = format('owner %L has no live lease: it was given up, or never registered', wanted);
    END IF;
END $$;
