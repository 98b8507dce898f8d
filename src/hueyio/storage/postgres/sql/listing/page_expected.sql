-- Expected ids behind one (NULL: from the first on), with who names them and, of a callback that waits for members, its
-- header and the beginning of its message.
CREATE OR REPLACE FUNCTION {schema}.page_expected_1(q int, after_id text, bytes int, most int)
RETURNS TABLE (id text, namers text[], lane smallint, rank float8, eta float8, max_deliveries int, unique_key text,
    more jsonb, head bytea) {entry} AS $$
#variable_conflict use_column
DECLARE
    first text := coalesce(after_id || chr(1), '');  -- no text stands between the two
    found text[];
BEGIN
    SELECT array_agg(it.id) INTO found FROM (
        SELECT DISTINCT e.id FROM {schema}.expected AS e WHERE e.queue = q AND e.id >= first
        ORDER BY e.id LIMIT most
    ) AS it;
    RETURN QUERY SELECT * FROM {schema}.expected_rows_1(q, found, bytes);
END $$;
