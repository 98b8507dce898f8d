-- What is known of expected ids, see `page_expected`. The order is that of the primary key: for an equal id the index
-- of the namers would do as well, when the table is planned for empty, and would be read whole.
CREATE OR REPLACE FUNCTION {schema}.expected_rows_1(q int, wanted text[], bytes int)
RETURNS TABLE (id text, namers text[], lane smallint, rank float8, eta float8, max_deliveries int, unique_key text,
    more jsonb, head bytea) {inner} AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT asked.id, named.namers, latch.lane, latch.rank, latch.eta, latch.max_deliveries,
            latch.unique_key, latch.more, substr(latch.data, 1, bytes)
        FROM unnest(wanted) WITH ORDINALITY AS asked (id, n)
        LEFT JOIN LATERAL (
            SELECT array_agg(e.namer) AS namers FROM (
                SELECT it.namer FROM {schema}.expected AS it
                WHERE it.queue = q AND it.id >= asked.id AND it.id <= asked.id ORDER BY it.id, it.namer
            ) AS e
        ) AS named ON true
        LEFT JOIN LATERAL (SELECT * FROM {schema}.latches AS l WHERE l.queue = q AND l.key = asked.id) AS latch ON true
        ORDER BY asked.n;
END $$;
