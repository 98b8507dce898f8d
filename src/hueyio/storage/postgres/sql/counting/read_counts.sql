-- What was counted of the tasks of some names, with their places among these, which count from 1.
CREATE OR REPLACE FUNCTION {schema}.read_counts_1(q int, of_span int, first bigint, last bigint, names text[])
RETURNS TABLE (number bigint, place int, counters jsonb) {entry} AS $$
DECLARE
    parts text[] := (SELECT array_agg('n' || it.name ORDER BY it.n) FROM unnest(names) WITH ORDINALITY AS it (name, n));
BEGIN
    RETURN QUERY SELECT it.slot, array_position(parts, it.part), it.data
        FROM {schema}.slots_1(q, of_span, first, last) AS listed (number)
        CROSS JOIN LATERAL (
            SELECT * FROM {schema}.counts AS c WHERE c.queue = q AND c.span = of_span AND c.slot = listed.number
                AND c.part = ANY (parts) OFFSET 0
        ) AS it ORDER BY 1, 2;
END $$;
