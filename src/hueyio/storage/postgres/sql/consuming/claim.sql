-- Lock ready tasks of a lane, and return where they are. ranks and spots: for some ranks, in order, the last place that
-- this session got; before it lie dead rows, or what others hold, so that each stretch is read from there on. looks: if
-- that is too little, read all from the beginning: something may have been committed late, or a claim rolled back.
CREATE OR REPLACE FUNCTION {schema}.find_ready_1(q int, l int, room int, ranks float8[], spots bigint[], looks bool)
RETURNS tid[] {inner} AS $$
DECLARE
    found_ tid[] := '{}';
BEGIN
    IF cardinality(ranks) = 0 THEN
        RETURN ARRAY(
            SELECT t.ctid FROM {schema}.tasks AS t
            WHERE t.queue = q AND t.lane = l AND t.state = 0 AND t.owner IS NULL
            ORDER BY t.rank, t.place LIMIT room FOR NO KEY UPDATE SKIP LOCKED
        );
    END IF;
    FOR i IN 0..cardinality(ranks) LOOP
        IF i = 0 THEN
            found_ := ARRAY(
                SELECT t.ctid FROM {schema}.tasks AS t
                WHERE t.queue = q AND t.lane = l AND t.state = 0 AND t.owner IS NULL AND t.rank < ranks[1]
                ORDER BY t.rank, t.place LIMIT room FOR NO KEY UPDATE SKIP LOCKED
            );
        ELSIF i < cardinality(ranks) THEN
            found_ := found_ || ARRAY(
                SELECT t.ctid FROM {schema}.tasks AS t
                WHERE t.queue = q AND t.lane = l AND t.state = 0 AND t.owner IS NULL
                    AND (t.rank, t.place) > (ranks[i], spots[i]) AND t.rank < ranks[i + 1]
                ORDER BY t.rank, t.place LIMIT room - cardinality(found_) FOR NO KEY UPDATE SKIP LOCKED
            );
        ELSE
            found_ := found_ || ARRAY(
                SELECT t.ctid FROM {schema}.tasks AS t
                WHERE t.queue = q AND t.lane = l AND t.state = 0 AND t.owner IS NULL
                    AND (t.rank, t.place) > (ranks[i], spots[i])
                ORDER BY t.rank, t.place LIMIT room - cardinality(found_) FOR NO KEY UPDATE SKIP LOCKED
            );
        END IF;
        IF cardinality(found_) = room THEN
            RETURN found_;
        END IF;
    END LOOP;
    IF looks THEN
        found_ := found_ || ARRAY(
            SELECT t.ctid FROM {schema}.tasks AS t
            WHERE t.queue = q AND t.lane = l AND t.state = 0 AND t.owner IS NULL AND t.ctid <> ALL (found_)
            ORDER BY t.rank, t.place LIMIT room - cardinality(found_) FOR NO KEY UPDATE SKIP LOCKED
        );
    END IF;
    RETURN found_;
END $$;

-- Take ready tasks, or one suspect alone. rooms: for how many of each lane. floor_*: see find_ready_1; they hold while the
-- queue's rewind is the one that the session knows. The last row has no id, and the rewind in place of a place.
CREATE OR REPLACE FUNCTION {schema}.claim_1(
    q int, who text, rooms int[],
    floor_lanes int[], floor_ranks float8[], floor_places bigint[], known_rewind bigint, looks bool
) RETURNS SETOF {schema}.delivery {entry} AS $$
DECLARE
    holding record;
    queue_ record;
    suspect text;
    is_free bool := {schema}.is_unrevoked_1(q);
    mine tid[];
    how_many int := 0;
    task {schema}.delivery;
BEGIN
    SELECT claimed, suspects INTO holding FROM {schema}.holdings WHERE queue = q AND owner = who FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM {schema}.require_lease_1(q, who);
    END IF;
    SELECT paused_at, rewind INTO queue_ FROM {schema}.queues WHERE queue = q;
    IF queue_.paused_at IS NOT NULL THEN
        RETURN;
    END IF;
    IF holding.suspects <> '{}' THEN
        FOREACH suspect IN ARRAY holding.suspects LOOP
            PERFORM FROM {schema}.tasks
            WHERE queue = q AND id = suspect AND owner = who AND deliveries > 0 AND max_deliveries - deliveries = 1;
            IF FOUND THEN
                RETURN;
            END IF;
        END LOOP;
        UPDATE {schema}.holdings SET suspects = '{}' WHERE queue = q AND owner = who;
    END IF;
    PERFORM FROM {schema}.tasks WHERE queue = q AND state = 1 LIMIT 1;
    IF FOUND THEN
        IF holding.claimed = {schema}.settled_1(q, who) THEN
            SELECT id INTO suspect FROM {schema}.tasks
            WHERE queue = q AND state = 1 AND coalesce(rooms[lane + 1], 0) > 0
            ORDER BY rank, place LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
            IF FOUND THEN
                PERFORM {schema}.take_one_1(q, who, suspect);
                RETURN QUERY SELECT * FROM {schema}.deliver_1(q, ARRAY[suspect]);
                RETURN;
            END IF;
        END IF;
    END IF;
    FOR l IN 0..2 LOOP
        CONTINUE WHEN coalesce(rooms[l + 1], 0) <= 0;
        IF queue_.rewind = known_rewind AND l = ANY (floor_lanes) THEN
            SELECT {schema}.find_ready_1(q, l, rooms[l + 1], array_agg(it.rank ORDER BY it.n),
                array_agg(it.place ORDER BY it.n), looks) INTO mine
            FROM unnest(floor_lanes, floor_ranks, floor_places) WITH ORDINALITY AS it (lane, rank, place, n)
            WHERE it.lane = l;
        ELSE
            mine := {schema}.find_ready_1(q, l, rooms[l + 1], '{}', '{}', false);
        END IF;
        CONTINUE WHEN mine = '{}';
        PERFORM {schema}.notice_flagged_1(q, mine);
        RETURN QUERY
        WITH taken AS MATERIALIZED (
            UPDATE {schema}.tasks SET owner = who WHERE ctid = ANY (mine) RETURNING *
        )
        SELECT t.id, t.lane, t.rank, t.eta, t.max_deliveries, t.unique_key, t.more, t.data, t.deliveries, t.started,
            t.cancelled, is_free, CASE WHEN t.more IS NOT NULL THEN {schema}.following_1(q, t.more) END, t.place
        FROM taken AS t ORDER BY t.rank, t.place;
        how_many := how_many + cardinality(mine);
    END LOOP;
    IF how_many > 0 THEN
        UPDATE {schema}.holdings SET claimed = claimed + how_many WHERE queue = q AND owner = who;
    END IF;
    task.place := queue_.rewind;
    RETURN NEXT task;
END $$;
