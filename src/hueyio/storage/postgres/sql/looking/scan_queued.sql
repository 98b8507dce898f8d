-- Ready tasks as they will be claimed, the suspects first.
CREATE OR REPLACE FUNCTION {schema}.scan_queued_1(q int, most bigint) RETURNS TABLE (
    id text, lane smallint, rank float8, eta float8, max_deliveries int, unique_key text, more jsonb, message bytea
) {entry} AS $$
#variable_conflict use_column
DECLARE
    found bigint;
BEGIN
    RETURN QUERY SELECT it.id, it.lane, it.rank, it.eta, it.max_deliveries, it.unique_key, it.more,
            {schema}.whole_message_1(q, it.id, it.more, it.data)
        FROM {schema}.tasks AS it WHERE it.queue = q AND it.state = 1 AND it.owner IS NULL
        ORDER BY it.rank, it.place LIMIT most;
    GET DIAGNOSTICS found = ROW_COUNT;
    RETURN QUERY SELECT it.id, it.lane, it.rank, it.eta, it.max_deliveries, it.unique_key, it.more,
            {schema}.whole_message_1(q, it.id, it.more, it.data)
        FROM {schema}.tasks AS it WHERE it.queue = q AND it.state = 0 AND it.owner IS NULL
        ORDER BY it.lane, it.rank, it.place LIMIT most - found;
END $$;
