-- Delete the tasks of some states that nobody holds, with what waits for them; return the ids of the last ones, as
-- many as are remembered.
CREATE OR REPLACE FUNCTION {schema}.clear_tasks_1(q int, states int[]) RETURNS text[] {inner} AS $$
DECLARE
    keep int := {schema}.bound_1('keep_ended');
    last text[];
    bound text[];
    rests jsonb[];
BEGIN
    WITH gone AS (
        DELETE FROM {schema}.tasks WHERE queue = q AND state = ANY (states) AND owner IS NULL RETURNING id, more, place
    )
    SELECT
        (SELECT array_agg(it.id) FROM (SELECT id FROM gone ORDER BY place DESC LIMIT keep) AS it),
        array_agg(id) FILTER (WHERE more ->> 3 IS NOT NULL OR (more ->> 8)::bool),
        array_agg(more) FILTER (WHERE more ->> 3 IS NOT NULL OR (more ->> 8)::bool)
    INTO last, bound, rests FROM gone;
    DELETE FROM {schema}.flags AS it WHERE it.queue = q
        AND NOT EXISTS (SELECT FROM {schema}.tasks AS task WHERE task.queue = q AND task.id = it.id);
    PERFORM {schema}.abandon_1(q, coalesce(bound, '{}'), rests);
    RETURN coalesce(last, '{}');
END $$;
