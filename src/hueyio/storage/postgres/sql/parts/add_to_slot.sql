-- Add what was counted to a slot.
CREATE OR REPLACE FUNCTION {schema}.add_to_slot_1(q int, of_span int, number bigint, more jsonb, enqueued jsonb)
RETURNS void {inner} AS $$
DECLARE
    names jsonb;
    it record;
BEGIN
    PERFORM {schema}.add_to_part_1(q, of_span, number, 't', more -> 'totals');
    names := {schema}.bounded_1(q, of_span, number, 'i', more -> 'names');
    PERFORM {schema}.add_to_part_1(q, of_span, number, 'i', names);
    PERFORM {schema}.add_to_part_1(
        q, of_span, number, 'f', {schema}.bounded_1(q, of_span, number, 'f', more -> 'failures')
    );
    PERFORM {schema}.add_to_part_1(q, of_span, number, 'q', enqueued);
    FOR it IN
        SELECT CASE WHEN names ? task.key OR NOT (more -> 'names') ? task.key THEN task.key ELSE '~other' END AS name,
            task.value AS counters
        FROM jsonb_each(more -> 'tasks') AS task
    LOOP
        PERFORM {schema}.add_to_part_1(q, of_span, number, 'n' || it.name, it.counters);
    END LOOP;
END $$;
