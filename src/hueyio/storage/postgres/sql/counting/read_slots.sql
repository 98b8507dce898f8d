-- What was counted in the slots of a span but for single tasks.
CREATE OR REPLACE FUNCTION {schema}.read_slots_1(q int, of_span int, first bigint, last bigint)
RETURNS TABLE (number bigint, part text, counters jsonb) {entry} AS $$
BEGIN
    RETURN QUERY SELECT it.slot, it.part, it.data FROM {schema}.slots_1(q, of_span, first, last) AS listed (number)
        CROSS JOIN LATERAL (
            SELECT * FROM {schema}.counts AS c WHERE c.queue = q AND c.span = of_span AND c.slot = listed.number
                AND c.part = ANY (ARRAY['f', 'i', 'q', 't']) OFFSET 0
        ) AS it;
END $$;
