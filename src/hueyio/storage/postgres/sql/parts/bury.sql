-- Keep a task as a letter, with the message that runs again (NULL: its own), the later stages of its pipeline among
-- it; an older letter of the same id gives way. burial: into (dead or failed), reason, kind (a letter), name.
CREATE OR REPLACE FUNCTION {schema}.bury_1(q int, task {schema}.tasks, burial jsonb, again bytea)
RETURNS void {inner} AS $$
DECLARE
    message bytea := coalesce(again, task.data);
    taken bigint;
BEGIN
    IF task.more IS NOT NULL THEN
        message := {schema}.whole_message_1(q, task.id, task.more, message);
    END IF;
    taken := octet_length(message) + length(task.id) + length(burial ->> 'reason') + length(burial ->> 'name');
    PERFORM {schema}.drop_letters_1(q, ARRAY[task.id]);
    INSERT INTO {schema}.letters (
        queue, id, store, lane, rank, eta, max_deliveries, unique_key, more, buried_at, kind, size, name, reason, data
    ) VALUES (
        q, task.id, left(burial ->> 'into', 1)::"char", task.lane, task.rank, task.eta, task.max_deliveries,
        task.unique_key, task.more, {schema}.now_1(), (burial ->> 'kind')::"char", taken, burial ->> 'name',
        burial ->> 'reason', message
    );
    INSERT INTO {schema}.letter_sums (queue, store, letters, bytes)
    VALUES (q, left(burial ->> 'into', 1)::"char", 1, taken);
END $$;
