-- Drop a slot of a span whose time is over.
CREATE OR REPLACE FUNCTION {schema}.sweep_counts_1(q int, now float8, of_span int, kept float8)
RETURNS void {inner} AS $$
DECLARE
    over bigint;
BEGIN
    SELECT slot INTO over FROM {schema}.counts WHERE queue = q AND span = of_span ORDER BY slot LIMIT 1;
    IF over < floor((now - kept) / of_span) THEN
        DELETE FROM {schema}.counts WHERE queue = q AND span = of_span AND slot = over;
    END IF;
END $$;
