-- Add entries, in order, and ring what they fill. Without `asks_token` their once tokens are their own. Verdicts: a
-- added, l alive, t taken (by `holder`), d done. Where nothing depends on the order but the places (no id and no token comes
-- twice), they are added in that of their unique keys, which two batches have in common: else these would wait for each
-- other.
CREATE OR REPLACE FUNCTION {schema}.add_1(q int, entries {schema}.entry[], asks_token bool)
RETURNS TABLE (verdict text, holder text) {inner} AS $$
DECLARE
    it {schema}.entry;
    once text;
    at float8 := {schema}.now_1();
    first_eta float8;
    mask int := 0;
    counts bigint[] := '{0,0,0}';
    added text[] := '{}';
    mores jsonb[] := '{}';
    last_ int := coalesce(cardinality(entries), 0);
    spots bigint[] := ARRAY(SELECT nextval('{schema}.places') FROM generate_series(1, last_));
    turns int[];
    i int;
    verdicts text[] := array_fill(NULL::text, ARRAY[last_]);
    holders text[] := array_fill(NULL::text, ARRAY[last_]);
BEGIN
    SELECT eta INTO first_eta FROM {schema}.tasks WHERE queue = q AND state = 2 ORDER BY eta LIMIT 1;
    SELECT CASE
        WHEN count(given.unique_key) > 1 AND NOT bool_or(given.more IS NOT NULL AND jsonb_array_length(given.more -> 7) > 0)
            AND count(DISTINCT given.id) = count(*) AND count(DISTINCT given.more ->> 0) = count(given.more ->> 0)
        THEN array_agg(given.n ORDER BY given.unique_key COLLATE "C" NULLS FIRST, given.n)
        ELSE array_agg(given.n ORDER BY given.n)
    END INTO turns FROM unnest(entries) WITH ORDINALITY AS given (
        id, lane, rank, eta, max_deliveries, unique_key, more, data, stage_ids, stage_data, n);
    FOREACH i IN ARRAY coalesce(turns, '{}') LOOP
        it := entries[i];
        holder := NULL;
        verdict := NULL;
        once := CASE WHEN asks_token THEN it.more ->> 0 END;
        IF {schema}.is_alive_1(q, it.id) THEN
            verdict := 'l';
        ELSIF once IS NOT NULL AND EXISTS (
            SELECT FROM {schema}.tokens AS t WHERE t.queue = q AND t.token = once AND (t.expires IS NULL OR t.expires > at)
        ) THEN
            verdict := 'd';
        ELSIF it.unique_key IS NOT NULL THEN
            SELECT t.id INTO holder FROM {schema}.tasks AS t WHERE t.queue = q AND t.unique_key = it.unique_key;
            IF holder IS NOT NULL THEN
                verdict := 't';
            END IF;
        END IF;
        IF verdict IS NULL THEN
            INSERT INTO {schema}.tasks
                (queue, id, state, lane, rank, place, eta, max_deliveries, unique_key, more, data)
            VALUES (q, it.id, CASE WHEN it.eta IS NULL THEN 0 ELSE 2 END, it.lane, it.rank, spots[i], it.eta,
                it.max_deliveries, it.unique_key, it.more, it.data)
            ON CONFLICT DO NOTHING;
            IF NOT FOUND THEN  -- somebody was faster: once more from the beginning, as after a deadlock
                RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'the same id or unique key was just added';
            END IF;
            IF once IS NOT NULL THEN
                INSERT INTO {schema}.tokens AS t (queue, token, expires)
                VALUES (q, once, at + (it.more ->> 1)::float8)
                ON CONFLICT (queue, token) DO UPDATE SET expires = excluded.expires WHERE t.expires <= at;
                IF NOT FOUND THEN
                    RAISE EXCEPTION USING ERRCODE = '40001', MESSAGE = 'the same once token was just used';
                END IF;
                IF it.more ->> 2 IS NOT NULL THEN
                    INSERT INTO {schema}.keys (queue, area, key, value)
                    VALUES (q, 5, it.more ->> 2, {schema}.plain_1(once))
                    ON CONFLICT (queue, area, key) DO UPDATE SET value = excluded.value, expires = NULL;
                END IF;
            END IF;
            IF it.more IS NOT NULL AND jsonb_array_length(it.more -> 7) > 0 THEN
                PERFORM {schema}.expect_1(q, ARRAY(SELECT jsonb_array_elements_text(it.more -> 7)), it.id);
            END IF;
            IF it.stage_ids IS NOT NULL THEN
                PERFORM {schema}.keep_stages_1(q, it.stage_ids, it.stage_data);
            END IF;
            verdict := 'a';
            added := added || it.id;
            mores := array_append(mores, it.more);
            counts[it.lane + 1] := counts[it.lane + 1] + 1;
            mask := mask | CASE
                WHEN it.eta IS NULL THEN 1 << it.lane
                WHEN first_eta IS NULL OR it.eta < first_eta THEN 8
                ELSE 0
            END;
        END IF;
        verdicts[i] := verdict;
        holders[i] := holder;
    END LOOP;
    IF added <> '{}' THEN
        INSERT INTO {schema}.entered (queue, loop, thread, process) VALUES (q, counts[1], counts[2], counts[3]);
        PERFORM {schema}.arrive_1(q, added, mores);
    END IF;
    PERFORM {schema}.ring_1(q, mask);
    RETURN QUERY SELECT * FROM unnest(verdicts, holders);
END $$;

-- The bytes of a text as Python has it: see texts.py.
CREATE OR REPLACE FUNCTION {schema}.plain_1(escaped text) RETURNS bytea {inner} AS $$
DECLARE
    bytes bytea := convert_to(escaped, 'UTF8');
    spot int := 1;
    next_mark int;
BEGIN
    LOOP
        next_mark := position('\x01'::bytea IN substring(bytes FROM spot));
        EXIT WHEN next_mark = 0;
        spot := spot + next_mark - 1;
        bytes := overlay(
            bytes PLACING CASE substring(bytes FROM spot + 1 FOR 1) WHEN '0'::bytea THEN '\x00'::bytea ELSE '\x01'::bytea END
            FROM spot FOR 2
        );
        spot := spot + 1;
    END LOOP;
    RETURN bytes;
END $$;

-- Put a held task back as new under another header; its cancel flag and its unique key stay. Without a message it keeps
-- its own, and that its body may have begun.
CREATE OR REPLACE FUNCTION {schema}.again_1(q int, task_id text, it {schema}.entry) RETURNS void {inner} AS $$
DECLARE
    first_eta float8;
    named text[];
BEGIN
    SELECT eta INTO first_eta FROM {schema}.tasks WHERE queue = q AND state = 2 ORDER BY eta LIMIT 1;
    UPDATE {schema}.tasks
    SET state = CASE WHEN it.eta IS NULL THEN 0 ELSE 2 END, lane = it.lane, rank = it.rank,
        place = nextval('{schema}.places'), eta = it.eta, max_deliveries = it.max_deliveries, more = it.more,
        data = coalesce(it.data, data), owner = NULL, deliveries = 0, started = started AND it.data IS NULL, progress = NULL
    WHERE queue = q AND id = task_id;
    named := {schema}.unname_1(q, task_id);
    IF it.more IS NOT NULL THEN
        PERFORM {schema}.expect_1(q, ARRAY(SELECT jsonb_array_elements_text(it.more -> 7)), task_id);
    END IF;
    PERFORM {schema}.keep_stages_1(q, it.stage_ids, it.stage_data);
    PERFORM {schema}.ring_1(q, CASE
        WHEN it.eta IS NULL THEN 1 << it.lane
        WHEN first_eta IS NULL OR it.eta < first_eta THEN 8
        ELSE 0
    END);
    PERFORM {schema}.cancel_all_1(q, named);
END $$;
