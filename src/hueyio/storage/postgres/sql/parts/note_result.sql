-- Take a member's result; say whether it was the last and the callback is enqueued.
CREATE OR REPLACE FUNCTION {schema}.note_result_1(q int, name text, place int, result bytea, member text)
RETURNS bool {inner} AS $$
BEGIN
    RETURN {schema}.note_results_1(q, ARRAY[name], ARRAY[place], ARRAY[result], ARRAY[member]) = 'f';
END $$;
