-- Apply one settlement of any kind. what: {"t": r release, d defer, f finish, b bury; "counted"; "entry"; "take": [area,
-- key]; "follow_ups"; "result", "intermediate", "again": numbers of blobs; "until"; "also"; "deletes": [[area, key]];
-- "latch": [key, position, number of blob]; "kind": letter; "reason", "name", "into"}. Return the letter of the answer.
CREATE OR REPLACE FUNCTION {schema}.settle_one_1(q int, who text, task_id text, times int, what jsonb, blobs bytea[])
RETURNS text {inner} AS $$
DECLARE
    task {schema}.tasks;
    kind text := what ->> 't';
    entries {schema}.entry[];
    it {schema}.entry;
    until float8 := {schema}.now_1() + (what ->> 'ttl')::float8;
    lives_on bool := false;
    named text[];
    over text[];
    pair jsonb;
BEGIN
    SELECT t.* INTO task FROM {schema}.tasks AS t
    WHERE t.queue = q AND t.id = task_id AND t.owner = who AND t.deliveries = times FOR UPDATE;
    IF NOT FOUND THEN
        RETURN 's';
    END IF;
    IF task.cancelled THEN
        PERFORM {schema}.notice_1(q);
    END IF;
    IF kind = 'r' THEN
        times := times + (what ->> 'counted')::int;
        UPDATE {schema}.tasks AS t
        SET owner = NULL, progress = NULL, deliveries = times,
            state = CASE WHEN times > 0 AND t.max_deliveries - times = 1 THEN 1 ELSE 0 END
        WHERE t.queue = q AND t.id = task_id;
        PERFORM {schema}.rewind_1(q);
        PERFORM {schema}.ring_1(q, 1 << task.lane);
        RETURN 'a';
    END IF;
    IF kind = 'd' THEN
        entries := {schema}.entries_1(jsonb_build_array(what -> 'entry'), blobs);
        PERFORM {schema}.again_1(q, task_id, entries[1]);
        RETURN 'a';
    END IF;
    IF what ? 'take' THEN
        DELETE FROM {schema}.keys AS k
        WHERE k.queue = q AND k.area = (what -> 'take' ->> 0)::smallint AND k.key = what -> 'take' ->> 1
            AND (k.expires IS NULL OR k.expires > {schema}.now_1());
        IF NOT FOUND THEN
            RETURN 'u';
        END IF;
    END IF;
    IF what ? 'follow_ups' THEN
        entries := {schema}.entries_1(what -> 'follow_ups', blobs);
        FOREACH it IN ARRAY entries LOOP
            lives_on := lives_on OR (kind = 'f' AND it.id = task_id);
        END LOOP;
    END IF;
    IF lives_on THEN
        lives_on := false;
        FOREACH it IN ARRAY entries LOOP
            IF it.id <> task_id THEN
                PERFORM {schema}.add_1(q, ARRAY[it], true);
            ELSIF NOT lives_on THEN
                PERFORM {schema}.again_1(q, task_id, it);
                lives_on := true;
            END IF;
        END LOOP;
        IF what ? 'intermediate' THEN
            PERFORM {schema}.put_results_1(
                q, ARRAY[task_id], ARRAY[blobs[(what ->> 'intermediate')::int + 1]], ARRAY[until]);
        END IF;
    ELSE
        IF kind = 'b' THEN
            PERFORM {schema}.bury_1(q, task, what, blobs[(what ->> 'again')::int + 1]);
        END IF;
        DELETE FROM {schema}.tasks AS t WHERE t.queue = q AND t.id = task_id;
        IF task.cancelled THEN
            DELETE FROM {schema}.flags AS f WHERE f.queue = q AND f.id = task_id;
        END IF;
        IF kind = 'f' AND task.more IS NOT NULL AND (task.more -> 8)::bool THEN
            PERFORM {schema}.finish_latch_1(q, task_id);  -- a letter keeps it
        END IF;
        named := {schema}.unname_1(q, task_id);
        IF entries IS NOT NULL THEN
            PERFORM {schema}.add_1(q, entries, true);
        END IF;
        over := ARRAY[task_id];
        IF what ? 'also' THEN
            over := over || ARRAY(
                SELECT later FROM unnest({schema}.with_later_1(q, ARRAY(SELECT jsonb_array_elements_text(what -> 'also')))) AS later
                WHERE later <> task_id AND NOT {schema}.is_alive_1(q, later)
            );
        END IF;
        PERFORM {schema}.put_results_1(
            q, over, array_fill(blobs[(what ->> 'result')::int + 1], ARRAY[cardinality(over)]),
            array_fill(until, ARRAY[cardinality(over)]));
        IF cardinality(over) > 1 THEN
            PERFORM {schema}.arrived_1(q, over[2:]);
        END IF;
    END IF;
    IF what ? 'deletes' THEN
        FOR pair IN SELECT * FROM jsonb_array_elements(what -> 'deletes') LOOP
            DELETE FROM {schema}.keys AS k WHERE k.queue = q AND k.area = (pair ->> 0)::smallint AND k.key = pair ->> 1;
        END LOOP;
    END IF;
    IF NOT lives_on THEN
        named := ARRAY(SELECT later FROM unnest(named) AS later WHERE later <> ALL (over));
        PERFORM {schema}.end_1(
            q, over || named, repeat(what ->> 'kind', cardinality(over)) || repeat('c', cardinality(named)));
    END IF;
    IF what ? 'latch' THEN
        IF {schema}.note_result_1(q, what -> 'latch' ->> 0, (what -> 'latch' ->> 1)::int,
            blobs[(what -> 'latch' ->> 2)::int + 1], task_id) THEN
            RETURN 'f';
        END IF;
    END IF;
    RETURN 'a';
END $$;
