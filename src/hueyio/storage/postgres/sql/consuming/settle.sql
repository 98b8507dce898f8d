-- Apply a batch of settlements of an owner in order, or repeat what it was told; then claim, if there is room. tags has a
-- letter for each settlement: p for a plain end, whose parts stand in the arrays beside it; x for all else, of which `others`
-- says what, by its place. The first row has the letters of the answers; what was claimed follows.
CREATE OR REPLACE FUNCTION {schema}.settle_1(
    q int, who text, num bigint, ids text[], times int[], tags text,
    results bytea[], ttls float8[], letters text, revoked text[],
    latch_keys text[], latch_positions int[], latch_values bytea[],
    others jsonb, blobs bytea[],
    ended_ids text[], ended_places int[], ended_data bytea, attempt_places int[], attempt_ids text[], attempt_data bytea[],
    rooms int[], floor_lanes int[], floor_ranks float8[], floor_places bigint[], known_rewind bigint, looks bool,
    bounds jsonb
) RETURNS TABLE (
    answers text, dropped int, is_claimed bool,
    id text, lane smallint, rank float8, eta float8, max_deliveries int, unique_key text, more jsonb, data bytea,
    deliveries int, started bool, cancelled bool, unrevoked bool, following bytea,
    place bigint
) {entry} AS $$
DECLARE
    lease record;
    n int := cardinality(ids);
    told text[] := array_fill('s'::text, ARRAY[cardinality(ids)]);
    first_ int := 1;
    last_ int;
    done text[];
    is_buried bool := false;
    is_again bool := false;
    let_go int;
    at float8 := {schema}.now_1();
    marked int[];
    fired text;
BEGIN
    dropped := 0;
    is_claimed := false;
    SELECT o.number, o.answers INTO lease FROM {schema}.owners AS o
    WHERE o.queue = q AND o.owner = who FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        answers := repeat('s', n);
        RETURN NEXT;
        RETURN;
    END IF;
    IF lease.number = num THEN
        answers := lease.answers;
        RETURN NEXT;
        RETURN;
    END IF;
    PERFORM {schema}.use_bounds_1(bounds);
    WHILE first_ <= n LOOP
        last_ := first_;
        IF substr(tags, first_, 1) = 'p' THEN
            WHILE last_ < n AND substr(tags, last_ + 1, 1) = 'p' LOOP
                last_ := last_ + 1;
            END LOOP;
            done := {schema}.finish_plain_1(q, who, ids[first_:last_], results[first_:last_],
                ARRAY(SELECT at + it FROM unnest(ttls[first_:last_]) AS it),
                substr(letters, first_, last_ - first_ + 1), revoked[first_:last_]);
            IF cardinality(done) = last_ - first_ + 1 THEN
                told[first_:last_] := array_fill('a'::text, ARRAY[last_ - first_ + 1]);
            ELSE
                FOR i IN first_..last_ LOOP
                    IF ids[i] = ANY (done) THEN
                        told[i] := 'a';
                        done := array_remove(done, ids[i]);
                    ELSE
                        told[i] := {schema}.settle_one_1(q, who, ids[i], times[i], jsonb_strip_nulls(jsonb_build_object(
                            't', 'f', 'result', 0, 'ttl', ttls[i], 'kind', substr(letters, i, 1),
                            'deletes', CASE WHEN revoked[i] IS NOT NULL THEN jsonb_build_array(jsonb_build_array(2, revoked[i])) END
                        )), results[i:i]);
                    END IF;
                END LOOP;
            END IF;
            marked := ARRAY(
                SELECT i FROM generate_series(first_, last_) AS i WHERE told[i] = 'a' AND latch_keys[i] IS NOT NULL);
            IF marked <> '{}' THEN
                fired := {schema}.note_results_1(q, ARRAY(SELECT latch_keys[i] FROM unnest(marked) AS i),
                    ARRAY(SELECT latch_positions[i] FROM unnest(marked) AS i),
                    ARRAY(SELECT latch_values[i] FROM unnest(marked) AS i), ARRAY(SELECT ids[i] FROM unnest(marked) AS i));
                FOR i IN 1..cardinality(marked) LOOP
                    told[marked[i]] := substr(fired, i, 1);
                END LOOP;
            END IF;
        ELSE
            told[first_] := {schema}.settle_one_1(
                q, who, ids[first_], times[first_], others -> (first_ - 1)::text, blobs);
            is_buried := is_buried OR others -> (first_ - 1)::text ->> 't' = 'b';
        END IF;
        first_ := last_ + 1;
    END LOOP;
    IF is_buried THEN
        dropped := {schema}.hold_bounds_1(q);
    END IF;
    answers := array_to_string(told, '');
    let_go := n - length(translate(answers, 'af', ''));
    UPDATE {schema}.owners AS o SET number = num, answers = settle_1.answers, settled = o.settled + let_go
    WHERE o.queue = q AND o.owner = who;
    PERFORM {schema}.ring_barred_1(q, who, 0 < ANY (times));
    IF cardinality(ended_ids) > 0 OR cardinality(attempt_ids) > 0 THEN
        PERFORM {schema}.write_history_1(
            q, ended_ids, ended_places, ended_data, attempt_places, attempt_ids, attempt_data, answers);
    END IF;
    is_claimed := rooms IS NOT NULL;
    RETURN NEXT;
    IF is_claimed THEN
        RETURN QUERY SELECT NULL::text, NULL::int, NULL::bool, it.* FROM {schema}.claim_1(
            q, who, rooms, floor_lanes, floor_ranks, floor_places, known_rewind, looks) AS it;
    END IF;
END $$;
