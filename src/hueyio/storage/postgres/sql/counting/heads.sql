-- What is ready and first of its lane: of the highest priority, and of the lowest.
CREATE OR REPLACE FUNCTION {schema}.heads_1(q int)
RETURNS TABLE (id text, lane smallint, rank float8, eta float8, max_deliveries int, unique_key text, more jsonb)
{entry} AS $$
#variable_conflict use_column
DECLARE
    highest {schema}.tasks;
    lowest float8;
BEGIN
    FOR number IN 0 .. 2 LOOP
        SELECT * INTO highest FROM {schema}.tasks AS it
        WHERE it.queue = q AND it.lane = number AND it.state = 0 AND it.owner IS NULL
        ORDER BY it.rank, it.place LIMIT 1;
        CONTINUE WHEN NOT FOUND;
        RETURN QUERY SELECT highest.id, highest.lane, highest.rank, highest.eta, highest.max_deliveries,
            highest.unique_key, highest.more;
        SELECT it.rank INTO lowest FROM {schema}.tasks AS it
        WHERE it.queue = q AND it.lane = number AND it.state = 0 AND it.owner IS NULL
        ORDER BY it.rank DESC, it.place DESC LIMIT 1;
        RETURN QUERY SELECT it.id, it.lane, it.rank, it.eta, it.max_deliveries, it.unique_key, it.more
            FROM {schema}.tasks AS it
            WHERE it.queue = q AND it.lane = number AND it.state = 0 AND it.owner IS NULL
                AND it.rank = lowest AND lowest <> highest.rank
            ORDER BY it.rank, it.place LIMIT 1;
    END LOOP;
END $$;
