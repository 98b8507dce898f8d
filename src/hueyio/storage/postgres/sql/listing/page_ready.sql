-- Ready tasks behind a place, as they will be claimed: part 0 are the suspects, then a part for each lane.
CREATE OR REPLACE FUNCTION {schema}.page_ready_1(
    q int, first int, after_rank float8, after_place bigint, bytes int, most int
) RETURNS TABLE (
    id text, state smallint, lane smallint, rank float8, eta float8, max_deliveries int, unique_key text, more jsonb,
    head bytea, deliveries int, started bool, cancelled bool, place bigint, owner text, progress bytea, part int
) {entry} AS $$
#variable_conflict use_column
DECLARE
    room int := most;
    found int;
BEGIN
    FOR number IN first .. 3 LOOP
        IF number = 0 THEN
            RETURN QUERY SELECT it.id, it.state, it.lane, it.rank, it.eta, it.max_deliveries, it.unique_key, it.more,
            substr(it.data, 1, bytes), it.deliveries, it.started, it.cancelled, it.place, it.owner, it.progress, 0
                FROM {schema}.tasks AS it
                WHERE it.queue = q AND it.state = 1 AND it.owner IS NULL
                    AND (it.rank, it.place) > (after_rank, after_place)
                ORDER BY it.rank, it.place LIMIT room;
        ELSE
            RETURN QUERY SELECT it.id, it.state, it.lane, it.rank, it.eta, it.max_deliveries, it.unique_key, it.more,
            substr(it.data, 1, bytes), it.deliveries, it.started, it.cancelled, it.place, it.owner, it.progress, number
                FROM {schema}.tasks AS it
                WHERE it.queue = q AND it.lane = number - 1 AND it.state = 0 AND it.owner IS NULL
                    AND (it.rank, it.place) > (after_rank, after_place)
                ORDER BY it.rank, it.place LIMIT room;
        END IF;
        GET DIAGNOSTICS found = ROW_COUNT;
        room := room - found;
        EXIT WHEN room <= 0;
        after_rank := '-infinity';
        after_place := -9223372036854775808;
    END LOOP;
END $$;
