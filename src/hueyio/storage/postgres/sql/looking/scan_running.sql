-- Tasks that are held.
CREATE OR REPLACE FUNCTION {schema}.scan_running_1(q int, most bigint) RETURNS TABLE (
    id text, lane smallint, rank float8, eta float8, max_deliveries int, unique_key text, more jsonb, message bytea
) {entry} AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT it.id, it.lane, it.rank, it.eta, it.max_deliveries, it.unique_key, it.more,
            {schema}.whole_message_1(q, it.id, it.more, it.data)
        FROM {schema}.held_rows_1(q) AS held CROSS JOIN LATERAL (
            SELECT * FROM {schema}.tasks AS task WHERE task.ctid = held OFFSET 0
        ) AS it ORDER BY it.rank, it.place LIMIT most;
END $$;
