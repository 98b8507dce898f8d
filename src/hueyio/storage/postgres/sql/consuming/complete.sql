-- End a task in the transaction of its body, which commits behind this: as settle_1 does, fenced by the receipt and without
-- a number. The owner's row is left alone: each commit would wait for that of the worker's last one. Raises HU003 if this
-- is not the transaction that was begun under this mark, HU004 with the letter of the answer if it is not accepted.
CREATE OR REPLACE FUNCTION {schema}.complete_1(
    q int, who text, task_id text, times int, what jsonb, blobs bytea[],
    ended_ids text[], ended_places int[], ended_data bytea, attempt_places int[], attempt_ids text[], attempt_data bytea[],
    mark text, bounds jsonb
) RETURNS text {joined} AS $$
DECLARE
    answer text;
BEGIN
    IF current_setting('hueyio.block', true) IS DISTINCT FROM mark THEN
        RAISE EXCEPTION USING ERRCODE = 'HU003', MESSAGE = 'another transaction was begun';
    END IF;
    PERFORM {schema}.use_bounds_1(bounds);
    answer := {schema}.settle_one_1(q, who, task_id, times, what, blobs);
    IF answer NOT IN ('a', 'f') THEN
        RAISE EXCEPTION USING ERRCODE = 'HU004', MESSAGE = answer;
    END IF;
    IF what ->> 't' = 'b' THEN
        PERFORM {schema}.hold_bounds_1(q);
    END IF;
    INSERT INTO {schema}.completed (queue, owner) VALUES (q, who);
    PERFORM {schema}.ring_barred_1(q, who, times > 0);
    PERFORM {schema}.write_history_1(
        q, ended_ids, ended_places, ended_data, attempt_places, attempt_ids, attempt_data, answer);
    RETURN answer;
END $$;
