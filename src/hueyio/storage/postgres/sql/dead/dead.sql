-- Dead letters, the latest first.
CREATE OR REPLACE FUNCTION {schema}.dead_1(q int, most bigint) RETURNS TABLE (
    id text, lane smallint, rank float8, eta float8, max_deliveries int, unique_key text, more jsonb, message bytea,
    reason text, buried_at float8, kind "char", name text
) {reader} AS $$
BEGIN
    RETURN QUERY SELECT it.id, it.lane, it.rank, it.eta, it.max_deliveries, it.unique_key, it.more, it.data, it.reason,
        it.buried_at, it.kind, it.name
        FROM {schema}.letters AS it WHERE it.queue = q AND it.store = 'd' ORDER BY it.number DESC LIMIT most;
END $$;
