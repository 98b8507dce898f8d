-- Delete all of these: queue, schedule, dead, failed, history, or areas by their numbers; tell those who wait for
-- what was deleted, and remember the last of it as cancelled.
CREATE OR REPLACE FUNCTION {schema}.clear_1(q int, what text[], areas int[], bounds jsonb) RETURNS void {entry} AS $$
DECLARE
    before text[] := {schema}.awaited_in_vain_1(q);
    over text[] := '{}';
    more text[];
BEGIN
    PERFORM {schema}.use_bounds_1(bounds);
    IF 'queue' = ANY (what) THEN
        over := over || {schema}.clear_tasks_1(q, ARRAY[0, 1]);
    END IF;
    IF 'schedule' = ANY (what) THEN
        over := over || {schema}.clear_tasks_1(q, ARRAY[2]);
    END IF;
    IF 'dead' = ANY (what) THEN
        PERFORM {schema}.drop_all_letters_1(q, 'd');
    END IF;
    IF 'failed' = ANY (what) THEN
        PERFORM {schema}.drop_all_letters_1(q, 'f');
    END IF;
    IF 'history' = ANY (what) THEN
        DELETE FROM {schema}.history WHERE queue = q;
        DELETE FROM {schema}.attempts WHERE queue = q;
    END IF;
    DELETE FROM {schema}.keys WHERE queue = q AND area = ANY (areas);
    WITH gone AS (
        DELETE FROM {schema}.expected AS it WHERE it.queue = q
            AND NOT EXISTS (SELECT FROM {schema}.tasks AS task WHERE task.queue = q AND task.id = it.namer)
            AND NOT EXISTS (SELECT FROM {schema}.latches AS latch WHERE latch.queue = q AND latch.key = it.namer)
            AND NOT EXISTS (SELECT FROM {schema}.stages AS stage WHERE stage.queue = q AND stage.id = it.namer)
        RETURNING it.id
    )
    SELECT array_agg(id) INTO more FROM gone;
    over := over || more;
    SELECT array_agg(it) INTO more FROM unnest({schema}.awaited_in_vain_1(q)) AS it WHERE it <> ALL (before);
    over := over || more;
    SELECT array_agg(DISTINCT it) INTO over FROM unnest(over) AS it;
    PERFORM {schema}.cancel_all_1(q, coalesce(over, '{}'));
END $$;
