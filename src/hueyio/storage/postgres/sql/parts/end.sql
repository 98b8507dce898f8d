-- Remember which way ids ended, a letter each, and tell their waiters, but for those that live on; so end the stages after
-- them, which will never run.
CREATE OR REPLACE FUNCTION {schema}.end_1(q int, ids text[], letters text) RETURNS void {inner} AS $$
DECLARE
    over text[] := '{}';
    kinds text := '';
    stage record;
    before text;
BEGIN
    FOR i IN 1..coalesce(cardinality(ids), 0) LOOP
        CONTINUE WHEN ids[i] = ANY (over) OR {schema}.is_live_1(q, ids[i]);
        over := over || ids[i];
        kinds := kinds || substr(letters, i, 1);
    END LOOP;
    IF over = '{}' THEN
        RETURN;
    END IF;
    FOREACH before IN ARRAY over LOOP
        LOOP
            DELETE FROM {schema}.stages WHERE queue = q AND id = before RETURNING next INTO stage;
            EXIT WHEN NOT FOUND OR stage.next IS NULL OR stage.next = ANY (over);
            DELETE FROM {schema}.expected WHERE queue = q AND id = stage.next AND namer = before;
            EXIT WHEN {schema}.is_live_1(q, stage.next);
            over := over || stage.next;
            kinds := kinds || 'c';
            before := stage.next;
        END LOOP;
    END LOOP;
    PERFORM {schema}.note_ended_1(q, over, kinds);
    PERFORM {schema}.tell_1(q, over, kinds);
END $$;

-- End ids that will never run; those of them that are alive or expected after all live on.
CREATE OR REPLACE FUNCTION {schema}.cancel_all_1(q int, ids text[]) RETURNS void {inner} AS $$
BEGIN
    PERFORM {schema}.end_1(q, ids, repeat('c', coalesce(cardinality(ids), 0)));
END $$;
