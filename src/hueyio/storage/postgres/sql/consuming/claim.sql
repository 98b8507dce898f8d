-- Take ready tasks, or one suspect alone. rooms: for how many of each lane.
CREATE OR REPLACE FUNCTION {schema}.claim_1(q int, who text, rooms int[])
RETURNS TABLE (
    id text, lane smallint, rank float8, eta float8, max_deliveries int, unique_key text, more jsonb, data bytea,
    deliveries int, started bool, cancelled bool, unrevoked bool, following bytea
) {entry} AS $$
DECLARE
    holding record;
    settled_ bigint;
    suspect text;
    is_free bool := {schema}.is_unrevoked_1(q);
    mine tid[];
    how_many int := 0;
BEGIN
    SELECT h.claimed, h.suspects INTO holding FROM {schema}.holdings AS h
    WHERE h.queue = q AND h.owner = who FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM {schema}.require_lease_1(q, who);
    END IF;
    PERFORM FROM {schema}.queues AS it WHERE it.queue = q AND it.paused_at IS NOT NULL;
    IF FOUND THEN
        RETURN;
    END IF;
    IF holding.suspects <> '{}' THEN
        PERFORM FROM {schema}.tasks AS t
        WHERE t.queue = q AND t.id = ANY (holding.suspects) AND t.owner = who
            AND t.deliveries > 0 AND t.max_deliveries - t.deliveries = 1;
        IF FOUND THEN
            RETURN;
        END IF;
        UPDATE {schema}.holdings AS h SET suspects = '{}' WHERE h.queue = q AND h.owner = who;
    END IF;
    PERFORM FROM {schema}.tasks AS t WHERE t.queue = q AND t.state = 1 LIMIT 1;
    IF FOUND THEN
        SELECT o.settled INTO settled_ FROM {schema}.owners AS o WHERE o.queue = q AND o.owner = who;
        IF holding.claimed = settled_ THEN
            SELECT t.id INTO suspect FROM {schema}.tasks AS t
            WHERE t.queue = q AND t.state = 1 AND coalesce(rooms[t.lane + 1], 0) > 0
            ORDER BY t.rank, t.place LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED;
            IF FOUND THEN
                PERFORM {schema}.take_one_1(q, who, suspect);
                RETURN QUERY SELECT * FROM {schema}.deliver_1(q, ARRAY[suspect]);
                RETURN;
            END IF;
        END IF;
    END IF;
    FOR l IN 0..2 LOOP
        CONTINUE WHEN coalesce(rooms[l + 1], 0) <= 0;
        mine := ARRAY(
            SELECT t.ctid FROM {schema}.tasks AS t
            WHERE t.queue = q AND t.lane = l AND t.state = 0 AND t.owner IS NULL
            ORDER BY t.rank, t.place LIMIT rooms[l + 1] FOR NO KEY UPDATE SKIP LOCKED
        );
        CONTINUE WHEN mine = '{}';
        RETURN QUERY
        WITH taken AS MATERIALIZED (
            UPDATE {schema}.tasks AS t SET owner = who WHERE t.ctid = ANY (mine) RETURNING t.*
        )
        SELECT t.id, t.lane, t.rank, t.eta, t.max_deliveries, t.unique_key, t.more, t.data, t.deliveries,
            t.started, t.cancelled, is_free, CASE WHEN t.more IS NOT NULL THEN {schema}.following_1(q, t.more) END
        FROM taken AS t ORDER BY t.rank, t.place;
        how_many := how_many + cardinality(mine);
    END LOOP;
    IF how_many > 0 THEN
        UPDATE {schema}.holdings AS h SET claimed = h.claimed + how_many WHERE h.queue = q AND h.owner = who;
    END IF;
END $$;
