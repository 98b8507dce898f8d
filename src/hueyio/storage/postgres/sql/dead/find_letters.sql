-- The letters of these ids, in any order.
CREATE OR REPLACE FUNCTION {schema}.find_letters_1(q int, wanted text[]) RETURNS TABLE (
    id text, lane smallint, rank float8, eta float8, max_deliveries int, unique_key text, more jsonb, message bytea,
    reason text, buried_at float8, kind "char", name text
) {entry} AS $$
BEGIN
    RETURN QUERY SELECT it.id, it.lane, it.rank, it.eta, it.max_deliveries, it.unique_key, it.more, it.data, it.reason,
        it.buried_at, it.kind, it.name
        FROM unnest(wanted) AS asked (id) CROSS JOIN LATERAL (
            SELECT * FROM {schema}.letters AS l WHERE l.queue = q AND l.id = asked.id OFFSET 0
        ) AS it;
END $$;
