-- List the owners with a live lease.
CREATE OR REPLACE FUNCTION {schema}.owners_1(q int)
RETURNS TABLE (owner text, beat bigint, info bytea, held bigint, silence float8) {entry} AS $$
BEGIN
    RETURN QUERY
    SELECT o.owner, b.beat, o.info, h.claimed - {schema}.settled_1(q, o.owner), greatest({schema}.now_1() - b.seen, 0)
    FROM {schema}.owners AS o
    JOIN {schema}.beats AS b ON b.queue = o.queue AND b.owner = o.owner
    JOIN {schema}.holdings AS h ON h.queue = o.queue AND h.owner = o.owner
    WHERE o.queue = q ORDER BY o.owner;
END $$;
