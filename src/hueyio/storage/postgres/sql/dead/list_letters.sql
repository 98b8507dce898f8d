-- Letters of both stores, the latest first, from behind a place on. Without their messages: most of those that are
-- looked at are not wanted.
CREATE OR REPLACE FUNCTION {schema}.list_letters_1(q int, before_at float8, before_id text, until float8, most int)
RETURNS TABLE (
    id text, lane smallint, rank float8, eta float8, max_deliveries int, unique_key text, more jsonb, message bytea,
    reason text, buried_at float8, kind "char", name text
) {entry} AS $$
BEGIN
    RETURN QUERY SELECT it.id, it.lane, it.rank, it.eta, it.max_deliveries, it.unique_key, it.more, NULL::bytea,
        it.reason, it.buried_at, it.kind, it.name
        FROM {schema}.letters AS it
        WHERE it.queue = q AND it.buried_at < until AND (it.buried_at, it.id) < (before_at, before_id)
        ORDER BY it.buried_at DESC, it.id DESC LIMIT most;
END $$;
