-- The message of a task joined to those of its later stages, as hueyio.storage.stages does. more: the rest of its
-- header.
CREATE OR REPLACE FUNCTION {schema}.whole_message_1(q int, task_id text, more jsonb, message bytea)
RETURNS bytea {inner} AS $$
DECLARE
    mark CONSTANT bytea := decode('93687069706531', 'hex');
    next_id text := CASE WHEN jsonb_array_length(more -> 7) = 1 THEN more -> 7 ->> 0 END;
    seen text[] := '{}';
    parts bytea[] := '{}';
    stage {schema}.stages;
BEGIN
    IF substr(message, 1, 7) = mark THEN
        RETURN message;
    END IF;
    WHILE next_id IS NOT NULL AND next_id <> ALL (seen) LOOP
        SELECT * INTO stage FROM {schema}.stages WHERE queue = q AND id = next_id;
        EXIT WHEN NOT FOUND;
        seen := seen || stage.id;
        parts := parts || {schema}.stage_part_1(stage.id, stage.data);
        next_id := stage.next;
    END LOOP;
    IF cardinality(parts) = 0 THEN
        RETURN message;
    END IF;
    RETURN mark || {schema}.stage_part_1(task_id, message)
        || (SELECT string_agg(it.part, ''::bytea ORDER BY it.n) FROM unnest(parts) WITH ORDINALITY AS it (part, n));
END $$;
