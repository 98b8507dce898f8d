-- The lanes that have ready tasks, or held ones, with each rank that stands there.
CREATE OR REPLACE FUNCTION {schema}.ranks_1(q int) RETURNS TABLE (of_lane smallint, of_rank float8) {inner} AS $$
BEGIN
    FOR number IN 0 .. 2 LOOP
        of_lane := number;
        SELECT rank INTO of_rank FROM {schema}.tasks
        WHERE queue = q AND lane = number AND state = 0 ORDER BY rank, place LIMIT 1;
        WHILE FOUND LOOP
            RETURN NEXT;
            SELECT rank INTO of_rank FROM {schema}.tasks
            WHERE queue = q AND lane = number AND state = 0 AND rank > of_rank ORDER BY rank, place LIMIT 1;
        END LOOP;
    END LOOP;
END $$;
