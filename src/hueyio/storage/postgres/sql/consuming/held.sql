-- List what is under a lease.
CREATE OR REPLACE FUNCTION {schema}.held_1(q int, who text)
RETURNS SETOF {schema}.delivery {entry} AS $$
BEGIN
    PERFORM {schema}.require_lease_1(q, who);
    RETURN QUERY SELECT * FROM {schema}.deliver_1(q, ARRAY(
        SELECT t.id FROM {schema}.tasks AS t WHERE t.queue = q AND t.state = 0 AND t.owner = who ORDER BY t.rank, t.place
    ));
END $$;
