-- Drop what is too much by burials; return how many dead letters that were. Whoever finds somebody else at it leaves
-- it to the next burial.
CREATE OR REPLACE FUNCTION {schema}.hold_bounds_1(q int) RETURNS bigint {inner} AS $$
DECLARE
    there bigint[];
    surplus bigint;
    dropped bigint := 0;
BEGIN
    PERFORM FROM {schema}.queues WHERE queue = q FOR NO KEY UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN 0;
    END IF;
    surplus := ({schema}.count_letters_1(q, 'd'))[1] - {schema}.bound_1('dead_limit');
    IF surplus > 0 THEN
        dropped := {schema}.drop_oldest_1(q, 'd', surplus);
        UPDATE {schema}.queues SET dead_dropped = dead_dropped + dropped WHERE queue = q;
    END IF;
    LOOP
        there := {schema}.count_letters_1(q, 'f');
        surplus := there[1] - {schema}.bound_1('keep_failed');
        EXIT WHEN surplus <= 0 AND there[2] <= {schema}.bound_1('failed_bytes');
        EXIT WHEN {schema}.drop_oldest_1(q, 'f', greatest(surplus, 1)) = 0;
    END LOOP;
    PERFORM {schema}.fold_sums_1(q, 'd'), {schema}.fold_sums_1(q, 'f');
    RETURN dropped;
END $$;
