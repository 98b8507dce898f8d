-- Take one task for an owner whose row in `holdings` is locked, from the middle of its lane: it gets a place in front.
CREATE OR REPLACE FUNCTION {schema}.take_one_1(q int, who text, task_id text) RETURNS void {inner} AS $$
BEGIN
    PERFORM {schema}.notice_flagged_1(q, ARRAY(SELECT ctid FROM {schema}.tasks WHERE queue = q AND id = task_id));
    UPDATE {schema}.tasks SET state = 0, owner = who, place = -nextval('{schema}.places') WHERE queue = q AND id = task_id;
    UPDATE {schema}.holdings AS h
    SET claimed = h.claimed + 1,
        suspects = h.suspects || ARRAY(
            SELECT t.id FROM {schema}.tasks AS t
            WHERE t.queue = q AND t.id = task_id AND t.deliveries > 0 AND t.max_deliveries - t.deliveries = 1
        )
    WHERE h.queue = q AND h.owner = who;
END $$;

-- What an owner gets of tasks that it holds.
CREATE OR REPLACE FUNCTION {schema}.deliver_1(q int, ids text[])
RETURNS SETOF {schema}.delivery {inner} AS $$
DECLARE
    is_free bool := {schema}.is_unrevoked_1(q);
BEGIN
    RETURN QUERY
    SELECT t.id, t.lane, t.rank, t.eta, t.max_deliveries, t.unique_key, t.more, t.data, t.deliveries,
        t.started, t.cancelled, is_free, {schema}.following_1(q, t.more), t.place
    FROM unnest(ids) WITH ORDINALITY AS it (id, n)
    CROSS JOIN LATERAL (SELECT * FROM {schema}.tasks AS t WHERE t.queue = q AND t.id = it.id) AS t
    ORDER BY it.n;
END $$;

-- Take these tasks, as far as they are ready and their lanes have room; or one suspect of them alone.
CREATE OR REPLACE FUNCTION {schema}.claim_awaited_1(q int, who text, ids text[], rooms int[], alone bool)
RETURNS SETOF {schema}.delivery {entry} AS $$
DECLARE
    task record;
    wanted text;
    taken text[] := '{}';
BEGIN
    PERFORM FROM {schema}.holdings AS h WHERE h.queue = q AND h.owner = who FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM {schema}.require_lease_1(q, who);
    END IF;
    PERFORM FROM {schema}.queues AS it WHERE it.queue = q AND it.paused_at IS NOT NULL;
    IF FOUND THEN
        RETURN;
    END IF;
    FOREACH wanted IN ARRAY ids LOOP
        SELECT t.state, t.lane INTO task FROM {schema}.tasks AS t
        WHERE t.queue = q AND t.id = wanted AND t.owner IS NULL AND t.state <> 2 FOR NO KEY UPDATE SKIP LOCKED;
        CONTINUE WHEN NOT FOUND OR coalesce(rooms[task.lane + 1], 0) <= 0;
        CONTINUE WHEN task.state = 1 AND (taken <> '{}' OR NOT alone);
        PERFORM {schema}.take_one_1(q, who, wanted);
        taken := taken || wanted;
        rooms[task.lane + 1] := rooms[task.lane + 1] - 1;
        EXIT WHEN task.state = 1;
    END LOOP;
    RETURN QUERY SELECT * FROM {schema}.deliver_1(q, taken);
END $$;
