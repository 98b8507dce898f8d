-- How many tasks an owner has let go: by settlements, and since they were last added up by bodies' own transactions.
CREATE OR REPLACE FUNCTION {schema}.settled_1(q int, who text) RETURNS bigint {inner} STABLE AS $$
BEGIN
    RETURN (
        SELECT o.settled + (SELECT count(*) FROM {schema}.completed AS c WHERE c.queue = q AND c.owner = who)
        FROM {schema}.owners AS o WHERE o.queue = q AND o.owner = who
    );
END $$;
