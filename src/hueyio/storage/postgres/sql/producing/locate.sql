-- Where each id is: q queued, s scheduled, r running, e expected, d a letter, v a stored result, t only a tombstone,
-- u unknown. Of what waits behind it in a pipeline come the ids and the messages.
CREATE OR REPLACE FUNCTION {schema}.locate_1(q int, ids text[], bounds jsonb)
RETURNS TABLE (state text, data bytea, cancelled bool, kind text, stage_ids text[], stage_data bytea[]) {entry} AS $$
DECLARE
    wanted text;
    task record;
    letter record;
    at float8 := {schema}.now_1();
BEGIN
    PERFORM {schema}.use_bounds_1(bounds);
    FOREACH wanted IN ARRAY ids LOOP
        state := 'u'; data := NULL; cancelled := false; kind := NULL; stage_ids := NULL; stage_data := NULL;
        SELECT t.state, t.owner, t.data, t.cancelled, t.more INTO task
        FROM {schema}.tasks AS t WHERE t.queue = q AND t.id = wanted;
        IF FOUND THEN
            state := CASE WHEN task.owner IS NOT NULL THEN 'r' WHEN task.state = 2 THEN 's' ELSE 'q' END;
            data := task.data;
            cancelled := task.cancelled;
            IF task.more IS NOT NULL AND jsonb_array_length(task.more -> 7) = 1 THEN
                SELECT it.ids, it.messages INTO stage_ids, stage_data FROM {schema}.chain_1(q, task.more -> 7 ->> 0) AS it;
            END IF;
        ELSIF EXISTS (SELECT FROM {schema}.expected AS e WHERE e.queue = q AND e.id = wanted) THEN
            state := 'e';
        ELSE
            kind := {schema}.find_ended_1(q, wanted);
            SELECT l.data, l.kind INTO letter FROM {schema}.letters AS l WHERE l.queue = q AND l.id = wanted;
            IF FOUND THEN
                state := 'd';
                data := letter.data;
                kind := coalesce(kind, letter.kind::text);
            ELSE
                SELECT k.value INTO data FROM {schema}.keys AS k
                WHERE k.queue = q AND k.area = 0 AND k.key = wanted AND (k.expires IS NULL OR k.expires > at);
                state := CASE WHEN FOUND THEN 'v' WHEN kind IS NULL THEN 'u' ELSE 't' END;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
END $$;

-- The stages that wait from this id on, one after another.
CREATE OR REPLACE FUNCTION {schema}.chain_1(q int, first_id text)
RETURNS TABLE (ids text[], messages bytea[]) {inner} AS $$
DECLARE
    stage record;
    current_id text := first_id;
BEGIN
    ids := '{}';
    messages := '{}';
    WHILE current_id IS NOT NULL AND current_id <> ALL (ids) LOOP
        SELECT s.next, s.data INTO stage FROM {schema}.stages AS s WHERE s.queue = q AND s.id = current_id;
        EXIT WHEN NOT FOUND;
        ids := ids || current_id;
        messages := messages || stage.data;
        current_id := stage.next;
    END LOOP;
    RETURN NEXT;
END $$;
