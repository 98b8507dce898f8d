-- The letter of the way in which an id ended, NULL if nothing is remembered of it. The newest row that has it counts.
CREATE OR REPLACE FUNCTION {schema}.find_ended_1(q int, wanted text) RETURNS text {inner} AS $$
DECLARE
    keep float8 := {schema}.bound_1('keep_ended');
    now float8 := {schema}.now_1();
    forgotten bigint;
    letter text;
BEGIN
    IF keep = 0 THEN
        RETURN NULL;
    END IF;
    SELECT total - keep INTO forgotten FROM {schema}.ended WHERE queue = q ORDER BY number DESC LIMIT 1;
    SELECT substr(kinds, array_position(ids, wanted), 1) INTO letter FROM {schema}.ended
    WHERE queue = q AND last >= wanted AND first <= wanted AND total > forgotten
        AND at > now - 86400.0  -- ENDED_AGE
        AND wanted = ANY (ids)
    ORDER BY number DESC LIMIT 1;
    RETURN nullif(letter, '-');
END $$;
