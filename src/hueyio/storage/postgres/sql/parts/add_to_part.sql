-- Add numbers to those of a part of a slot.
CREATE OR REPLACE FUNCTION {schema}.add_to_part_1(q int, of_span int, number bigint, of_part text, more jsonb)
RETURNS void {inner} AS $$
BEGIN
    IF more <> '{}' THEN
        INSERT INTO {schema}.counts AS known (queue, span, slot, part, data) VALUES (q, of_span, number, of_part, more)
        ON CONFLICT (queue, span, slot, part) DO UPDATE
            SET data = {schema}.sum_of_counters_1(known.data, excluded.data);
    END IF;
END $$;
