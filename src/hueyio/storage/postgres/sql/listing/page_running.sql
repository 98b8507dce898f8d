-- Running tasks behind a place, owner by owner. No index names the owner, so all that is held is sought first: it
-- stands at the front of the lanes, and how much there is tells when to stop.
CREATE OR REPLACE FUNCTION {schema}.page_running_1(q int, after_owner text, after_place bigint, bytes int, most int)
RETURNS TABLE (
    id text, state smallint, lane smallint, rank float8, eta float8, max_deliveries int, unique_key text, more jsonb,
    head bytea, deliveries int, started bool, cancelled bool, place bigint, owner text, progress bytea, part int
) {entry} AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT it.id, it.state, it.lane, it.rank, it.eta, it.max_deliveries, it.unique_key, it.more,
            substr(it.data, 1, bytes), it.deliveries, it.started, it.cancelled, it.place, it.owner, it.progress, 0
        FROM {schema}.held_rows_1(q) AS held CROSS JOIN LATERAL (
            SELECT * FROM {schema}.tasks AS task WHERE task.ctid = held OFFSET 0
        ) AS it
        WHERE (it.owner, it.place) > (after_owner COLLATE "C", after_place)
        ORDER BY it.owner, it.place LIMIT most;
END $$;
