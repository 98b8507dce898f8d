-- What is known of expected ids, see `page_expected`.
CREATE OR REPLACE FUNCTION {schema}.expected_rows_1(q int, wanted text[], bytes int)
RETURNS TABLE (id text, namers text[], lane smallint, rank float8, eta float8, max_deliveries int, unique_key text,
    more jsonb, head bytea) {inner} AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT asked.id, named.namers, latch.lane, latch.rank, latch.eta, latch.max_deliveries,
            latch.unique_key, latch.more, substr(latch.data, 1, bytes)
        FROM unnest(wanted) WITH ORDINALITY AS asked (id, n)
        LEFT JOIN LATERAL (
            SELECT array_agg(e.namer ORDER BY e.namer) AS namers FROM {schema}.expected AS e
            WHERE e.queue = q AND e.id = asked.id
        ) AS named ON true
        LEFT JOIN LATERAL (SELECT * FROM {schema}.latches AS l WHERE l.queue = q AND l.key = asked.id) AS latch ON true
        ORDER BY asked.n;
END $$;
