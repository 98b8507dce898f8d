-- Make latches and add their members; members that cannot be added count as absent. Latches are made in the order of
-- their keys, so that nobody who makes some of the same waits for this one and is waited for.
CREATE OR REPLACE FUNCTION {schema}.add_latched_1(
    q int, entries {schema}.entry[], callbacks {schema}.entry[], sizes int[], absents bytea[]
) RETURNS TABLE (verdict text, holder text) {inner} AS $$
#variable_conflict use_column
DECLARE
    made text[] := '{}';
    i int;
    verdicts text[];
    holders text[];
BEGIN
    FOR i IN
        SELECT c.n FROM unnest(callbacks) WITH ORDINALITY
            AS c (id, lane, rank, eta, max_deliveries, unique_key, more, data, stage_ids, stage_data, n)
        ORDER BY c.id COLLATE "C"
    LOOP
        IF {schema}.make_latch_1(q, callbacks[i], sizes[i], absents[i]) THEN
            made := made || (callbacks[i]).id;
        END IF;
    END LOOP;
    SELECT array_agg(a.verdict ORDER BY a.n), array_agg(a.holder ORDER BY a.n) INTO verdicts, holders
    FROM {schema}.add_1(q, entries, true) WITH ORDINALITY AS a (verdict, holder, n);
    FOR i IN 1 .. coalesce(cardinality(verdicts), 0) LOOP
        IF verdicts[i] <> 'a' AND (entries[i]).more ->> 3 = ANY (made) THEN
            PERFORM {schema}.note_absent_1(q, (entries[i]).more);
        END IF;
    END LOOP;
    FOR i IN 1 .. cardinality(callbacks) LOOP
        IF sizes[i] = 0 AND (callbacks[i]).id = ANY (made) THEN
            PERFORM {schema}.fire_1(q, (callbacks[i]).id);
            made := array_remove(made, (callbacks[i]).id);
        END IF;
    END LOOP;
    RETURN QUERY SELECT * FROM unnest(verdicts, holders);
END $$;
