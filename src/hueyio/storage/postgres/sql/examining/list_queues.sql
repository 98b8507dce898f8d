-- The names of the queues of this schema, a thousand at most.
CREATE OR REPLACE FUNCTION {schema}.list_queues_1() RETURNS TABLE(name text) {reader} AS $$
BEGIN
    RETURN QUERY SELECT q.name::text FROM {schema}.queues AS q ORDER BY q.name LIMIT 1000;
END
$$;
