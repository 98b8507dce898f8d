-- Whether a lane has a ready task that came after this place; of the first priorities.
CREATE OR REPLACE FUNCTION {schema}.has_newer_1(q int, l int, known bigint) RETURNS bool {inner} AS $$
DECLARE
    current_rank float8;
BEGIN
    SELECT rank INTO current_rank FROM {schema}.tasks
    WHERE queue = q AND lane = l AND state = 0 AND owner IS NULL ORDER BY rank, place LIMIT 1;
    FOR i IN 1..16 LOOP
        EXIT WHEN current_rank IS NULL;
        PERFORM FROM {schema}.tasks
        WHERE queue = q AND lane = l AND state = 0 AND owner IS NULL AND rank = current_rank AND place > known LIMIT 1;
        IF FOUND THEN
            RETURN true;
        END IF;
        SELECT rank INTO current_rank FROM {schema}.tasks
        WHERE queue = q AND lane = l AND state = 0 AND owner IS NULL AND rank > current_rank ORDER BY rank, place LIMIT 1;
    END LOOP;
    RETURN false;
END $$;

-- Say that a session waits for these bells, and what there is for each: something that changes when it should ring.
-- known: for each lane the last place that was given at the session's last look. news: the lanes that have got work since.
CREATE OR REPLACE FUNCTION {schema}.sleep_1(q int, who text, mask int, known bigint[])
RETURNS TABLE (in_loop text, in_thread text, in_process text, in_schedule text, news int, last_place bigint) {entry} AS $$
DECLARE
    queue_ record;
    found_ text[] := '{NULL,NULL,NULL}';
    place_ bigint;
    suspect bigint;
BEGIN
    INSERT INTO {schema}.asleep AS a (queue, client, bells) VALUES (q, who, mask)
    ON CONFLICT (queue, client) DO UPDATE SET bells = excluded.bells WHERE a.bells <> excluded.bells;
    news := 0;
    SELECT last_value INTO last_place FROM {schema}.places;
    SELECT rewind, paused_at INTO queue_ FROM {schema}.queues WHERE queue = q;
    IF queue_.paused_at IS NULL THEN
        FOR l IN 0..2 LOOP
            CONTINUE WHEN mask & (1 << l) = 0;
            SELECT place INTO place_ FROM {schema}.tasks
            WHERE queue = q AND lane = l AND state = 0 AND owner IS NULL ORDER BY rank, place LIMIT 1;
            SELECT place INTO suspect FROM {schema}.tasks
            WHERE queue = q AND state = 1 AND lane = l ORDER BY rank, place LIMIT 1;
            IF place_ IS NOT NULL OR suspect IS NOT NULL THEN
                found_[l + 1] := format('%s %s %s', queue_.rewind, place_, suspect);
            END IF;
            IF place_ IS NOT NULL AND {schema}.has_newer_1(q, l, known[l + 1]) THEN
                news := news | (1 << l);
            END IF;
        END LOOP;
    END IF;
    in_loop := found_[1]; in_thread := found_[2]; in_process := found_[3];
    IF mask & 8 <> 0 THEN
        SELECT eta INTO in_schedule FROM {schema}.tasks WHERE queue = q AND state = 2 ORDER BY eta LIMIT 1;
    END IF;
    RETURN NEXT;
END $$;

-- Forget all that a client waits for.
CREATE OR REPLACE FUNCTION {schema}.forget_client_1(q int, who text) RETURNS void {entry} AS $$
BEGIN
    DELETE FROM {schema}.asleep WHERE queue = q AND client = who;
    DELETE FROM {schema}.waiters WHERE queue = q AND client = who;
    DELETE FROM {schema}.followers WHERE queue = q AND client = who;
END $$;
