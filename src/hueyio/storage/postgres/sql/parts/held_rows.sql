-- Where the tasks stand that owners hold. No index names the owner, but what is held stands near the front of each
-- rank of its lane, and how much there is tells when to stop: so ever longer beginnings of the ranks are read.
CREATE OR REPLACE FUNCTION {schema}.held_rows_1(q int) RETURNS SETOF tid {inner} AS $$
DECLARE
    many bigint;
    depth bigint := 300;
    lanes smallint[];
    ranks float8[];
    found tid[];
BEGIN
    SELECT coalesce(sum(greatest(h.claimed - {schema}.settled_1(q, h.owner), 0)), 0) INTO many
    FROM {schema}.holdings AS h WHERE h.queue = q;
    IF many = 0 THEN
        RETURN;
    END IF;
    SELECT array_agg(it.lane), array_agg(it.rank) INTO lanes, ranks FROM {schema}.ranks_1(q) AS it (lane, rank);
    LOOP
        found := ARRAY(
            SELECT task.at FROM unnest(lanes, ranks) AS it (lane, rank) CROSS JOIN LATERAL (
                SELECT t.ctid AS at, t.owner FROM {schema}.tasks AS t
                WHERE t.queue = q AND t.state = 0 AND t.lane = it.lane AND t.rank = it.rank ORDER BY t.place LIMIT depth
            ) AS task WHERE task.owner IS NOT NULL
        );
        EXIT WHEN cardinality(found) >= many OR depth > 1000000000;
        depth := depth * CASE WHEN depth < 100000 THEN 10 ELSE 1000000 END;
    END LOOP;
    RETURN QUERY SELECT unnest(found);
END $$;

-- Lock the tasks that one owner holds, and return where they are: so many, or fewer where some have gone without being
-- counted. No index names the owner; as above. The whole backlog is read only where some are missing. They are locked by
-- id without the state: else the planner may take the index of what is ready.
CREATE OR REPLACE FUNCTION {schema}.held_by_1(q int, who text, many bigint) RETURNS tid[] {inner} AS $$
DECLARE
    depth bigint := 300;
    lanes smallint[];
    ranks float8[];
    found_ tid[] := '{}';
BEGIN
    IF many <= 0 THEN
        RETURN found_;
    END IF;
    SELECT array_agg(it.lane), array_agg(it.rank) INTO lanes, ranks FROM {schema}.ranks_1(q) AS it (lane, rank);
    LOOP
        found_ := ARRAY(
            SELECT held.at FROM unnest(lanes, ranks) AS it (lane, rank) CROSS JOIN LATERAL (
                SELECT t.id, t.owner FROM {schema}.tasks AS t
                WHERE t.queue = q AND t.state = 0 AND t.lane = it.lane AND t.rank = it.rank ORDER BY t.place LIMIT depth
            ) AS task CROSS JOIN LATERAL (
                SELECT t.ctid AS at FROM {schema}.tasks AS t
                WHERE t.queue = q AND t.id = task.id AND t.owner = who FOR NO KEY UPDATE
            ) AS held
            WHERE task.owner = who
        );
        EXIT WHEN cardinality(found_) >= many OR depth > 1000000000;
        depth := depth * CASE WHEN depth < 100000 THEN 10 ELSE 1000000 END;
    END LOOP;
    RETURN found_;
END $$;
