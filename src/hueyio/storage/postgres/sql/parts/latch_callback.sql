-- The callback of a latch as a task on its way in; its later stages stand in `stages` already.
CREATE OR REPLACE FUNCTION {schema}.latch_callback_1(latch {schema}.latches) RETURNS {schema}.entry {inner} AS $$
BEGIN
    RETURN ROW(
        latch.key, latch.lane, latch.rank, latch.eta, latch.max_deliveries, latch.unique_key, latch.more, latch.data,
        NULL, NULL
    )::{schema}.entry;
END $$;
