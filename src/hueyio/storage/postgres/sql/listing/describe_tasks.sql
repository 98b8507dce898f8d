-- The rows of these live tasks, in any order. OFFSET 0, as elsewhere, has each id looked up by itself: without it the
-- planner may begin with the table, if that was empty then.
CREATE OR REPLACE FUNCTION {schema}.describe_tasks_1(q int, wanted text[], bytes int)
RETURNS TABLE (
    id text, state smallint, lane smallint, rank float8, eta float8, max_deliveries int, unique_key text, more jsonb,
    head bytea, deliveries int, started bool, cancelled bool, place bigint, owner text, progress bytea, part int
) {entry} AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT it.id, it.state, it.lane, it.rank, it.eta, it.max_deliveries, it.unique_key, it.more,
            substr(it.data, 1, bytes), it.deliveries, it.started, it.cancelled, it.place, it.owner, it.progress, 0
        FROM unnest(wanted) AS asked (id) CROSS JOIN LATERAL (
            SELECT * FROM {schema}.tasks AS t WHERE t.queue = q AND t.id = asked.id OFFSET 0
        ) AS it;
END $$;
