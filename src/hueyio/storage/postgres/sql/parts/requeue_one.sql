-- Make a task of a letter again, see `requeue`.
CREATE OR REPLACE FUNCTION {schema}.requeue_one_1(q int, task {schema}.entry, "time" float8) RETURNS text {inner} AS $$
DECLARE
    refusal text;
    is_counted bool;
    later text[];
    over text[];
BEGIN
    IF NOT EXISTS (SELECT FROM {schema}.letters WHERE queue = q AND id = task.id AND buried_at = "time") THEN
        RETURN 'm';
    END IF;
    IF (task.more ->> 8)::bool AND NOT {schema}.is_alive_1(q, task.id) AND {schema}.is_live_1(q, task.id) THEN
        RETURN 'l';  -- a new chord has begun under its id
    END IF;
    SELECT it.verdict INTO refusal FROM {schema}.add_1(q, ARRAY[task], false) AS it (verdict, holder);
    IF refusal <> 'a' THEN
        RETURN refusal;
    END IF;
    PERFORM {schema}.drop_letters_1(q, ARRAY[task.id]);
    is_counted := {schema}.take_back_1(q, task.more);
    SELECT coalesce(array_agg(it), '{}') INTO later FROM jsonb_array_elements_text(task.more -> 7) AS it;
    SELECT array_agg(it) INTO over FROM unnest(task.id || later) AS it
    WHERE it = task.id OR NOT {schema}.is_alive_1(q, it);
    PERFORM {schema}.drop_keys_1(q, 0, over);
    PERFORM {schema}.forget_ended_1(q, task.id || later);
    RETURN CASE WHEN is_counted THEN 'a' ELSE 'f' END;
END $$;
