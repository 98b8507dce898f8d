-- Lines of the audit log before one, the latest first.
CREATE OR REPLACE FUNCTION {schema}.notes_1(q int, before bigint, most int)
RETURNS TABLE (number bigint, at float8, line bytea) {entry} AS $$
BEGIN
    RETURN QUERY SELECT it.number, it.at, it.line FROM {schema}.audit AS it
        WHERE it.queue = q AND it.number < before ORDER BY it.number DESC LIMIT most;
END $$;
