-- Scheduled tasks behind a place, the earliest first.
CREATE OR REPLACE FUNCTION {schema}.page_scheduled_1(q int, after_eta float8, after_place bigint, bytes int, most int)
RETURNS TABLE (
    id text, state smallint, lane smallint, rank float8, eta float8, max_deliveries int, unique_key text, more jsonb,
    head bytea, deliveries int, started bool, cancelled bool, place bigint, owner text, progress bytea, part int
) {entry} AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT it.id, it.state, it.lane, it.rank, it.eta, it.max_deliveries, it.unique_key, it.more,
            substr(it.data, 1, bytes), it.deliveries, it.started, it.cancelled, it.place, it.owner, it.progress, 0
        FROM {schema}.tasks AS it
        WHERE it.queue = q AND it.state = 2 AND (it.eta, it.place) > (after_eta, after_place)
        ORDER BY it.eta, it.place LIMIT most;
END $$;
