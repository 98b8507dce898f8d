-- Add entries of any kind, with the latches of which they are members. callbacks, sizes, absents: of the latches.
CREATE OR REPLACE FUNCTION {schema}.enqueue_1(
    q int, items jsonb, callbacks jsonb, sizes int[], absents bytea[], blobs bytea[], bounds jsonb
) RETURNS TABLE (verdict text, holder text) {entry} AS $$
BEGIN
    PERFORM {schema}.use_bounds_1(bounds);
    IF cardinality(sizes) > 0 THEN
        RETURN QUERY SELECT it.verdict::text, it.holder FROM {schema}.add_latched_1(
            q, {schema}.entries_1(items, blobs), {schema}.entries_1(callbacks, blobs), sizes, absents) AS it;
    ELSE
        RETURN QUERY SELECT * FROM {schema}.add_1(q, {schema}.entries_1(items, blobs), true);
    END IF;
END $$;
