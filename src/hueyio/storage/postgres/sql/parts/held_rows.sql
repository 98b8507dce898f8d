-- Where the tasks stand that owners hold.
CREATE OR REPLACE FUNCTION {schema}.held_rows_1(q int) RETURNS SETOF tid {inner} AS $$
DECLARE
    many bigint;
BEGIN
    SELECT coalesce(sum(greatest(h.claimed - o.settled, 0)), 0) INTO many
    FROM {schema}.holdings AS h JOIN {schema}.owners AS o ON o.queue = h.queue AND o.owner = h.owner WHERE h.queue = q;
    RETURN QUERY SELECT ctid FROM {schema}.tasks WHERE queue = q AND state = 0 AND owner IS NOT NULL
        ORDER BY lane, rank, place LIMIT many;
END $$;
