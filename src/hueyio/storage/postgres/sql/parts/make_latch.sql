-- Make a latch; false if it is there, or its callback is alive.
CREATE OR REPLACE FUNCTION {schema}.make_latch_1(q int, callback {schema}.entry, size int, absent bytea)
RETURNS bool {inner} AS $$
DECLARE
    later text[];
BEGIN
    IF {schema}.is_alive_1(q, callback.id) THEN
        RETURN false;
    END IF;
    PERFORM {schema}.drop_kept_1(q, ARRAY[callback.id]);
    INSERT INTO {schema}.latches (
        queue, key, size, lane, rank, eta, max_deliveries, unique_key, more, absent, data
    ) VALUES (
        q, callback.id, size, callback.lane, callback.rank, callback.eta, callback.max_deliveries, callback.unique_key,
        callback.more, absent, callback.data
    ) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    SELECT coalesce(array_agg(it), '{}') INTO later FROM jsonb_array_elements_text(callback.more -> 7) AS it;
    PERFORM {schema}.expect_1(q, callback.id || later, callback.id);
    IF cardinality(callback.stage_ids) > 0 THEN
        PERFORM {schema}.keep_stages_1(q, callback.stage_ids, callback.stage_data);
    END IF;
    RETURN true;
END $$;
