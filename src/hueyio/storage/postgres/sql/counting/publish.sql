-- Replace what an owner says of itself, and add what it counted to the slots of now; false without a live lease.
-- counted: see `Counted`. Whoever publishes locks the totals of the slot first, so that they follow one another.
CREATE OR REPLACE FUNCTION {schema}.publish_1(
    q int, holder text, published bigint, about bytea, counted jsonb, spans int[]
) RETURNS bool {entry} AS $$
DECLARE
    enqueued jsonb;
    span int;
BEGIN
    WITH gone AS (DELETE FROM {schema}.completed WHERE queue = q AND owner = holder RETURNING queue)
    UPDATE {schema}.owners SET info = about, settled = settled + (SELECT count(*) FROM gone)
    WHERE queue = q AND owner = holder;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    IF counted IS NULL THEN
        RETURN true;
    END IF;
    UPDATE {schema}.owners SET counted = published
    WHERE queue = q AND owner = holder AND owners.counted < published;
    IF NOT FOUND THEN
        RETURN true;
    END IF;
    enqueued := {schema}.take_entered_1(q);
    FOREACH span IN ARRAY spans LOOP
        PERFORM {schema}.add_to_slot_1(q, span, floor({schema}.now_1() / span)::bigint, counted, enqueued);
    END LOOP;
    RETURN true;
END $$;
