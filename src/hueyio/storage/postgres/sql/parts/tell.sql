-- Tell the waiters of ids that are over, a letter each, how they ended and what their results are: by notices of at most
-- some 7,000 bytes, a few to each client. What is too large for one waits in its waiter's row.
CREATE OR REPLACE FUNCTION {schema}.tell_1(q int, over text[], letters text) RETURNS void {inner} AS $$
DECLARE
    told record;
    mine tid[];
    item text;
    message text := '';
    listener text;
    is_large bool;
    at float8 := {schema}.now_1();
BEGIN
    IF NOT EXISTS (SELECT FROM {schema}.waiters WHERE queue = q) THEN
        RETURN;
    END IF;
    mine := ARRAY(
        SELECT waiter.at FROM (SELECT it AS id FROM unnest(over) AS it ORDER BY it COLLATE "C") AS asked
        CROSS JOIN LATERAL (
            SELECT w.ctid AS at FROM {schema}.waiters AS w
            WHERE w.queue = q AND w.id = asked.id AND NOT w.is_over ORDER BY w.client FOR UPDATE
        ) AS waiter
    );
    IF mine = '{}' THEN
        RETURN;
    END IF;
    FOR told IN
        WITH gone AS MATERIALIZED (
            DELETE FROM {schema}.waiters WHERE ctid = ANY (mine)
            RETURNING id, client, number, expires
        ), counted AS MATERIALIZED (
            SELECT gone.*, count(*) OVER (PARTITION BY id) > 1 AS shared FROM gone
        )
        SELECT counted.*, substr(letters, array_position(over, id), 1) AS kind, (
            SELECT value FROM {schema}.keys AS it
            WHERE it.queue = q AND it.area = 0 AND it.key = counted.id AND (it.expires IS NULL OR it.expires > at)
        ) AS value
        FROM counted ORDER BY client
    LOOP
        IF told.shared AND told.value IS NOT NULL THEN
            PERFORM {schema}.shorten_1(q, told.id, 60.0);  -- SHARED_RESULT_TTL
        END IF;
        is_large := coalesce(octet_length(told.value), 0) > 4000 OR octet_length(told.id) > 1000;
        IF NOT is_large THEN
            item := jsonb_build_array(
                told.number, told.id, told.kind, told.shared, translate(encode(told.value, 'base64'), E'\n', '')
            )::text;
        END IF;
        IF listener IS NOT NULL AND message <> ''
            AND (listener <> told.client OR (NOT is_large AND octet_length(message) + octet_length(item) > 7500)) THEN
            PERFORM pg_notify('{schema}.c' || listener, 'e[' || message || ']');
            message := '';
        END IF;
        listener := told.client;
        IF is_large THEN
            INSERT INTO {schema}.waiters (queue, id, client, number, expires, is_over, shared, kind, data)
            VALUES (q, told.id, told.client, told.number, told.expires, true, told.shared, told.kind, told.value);
            PERFORM pg_notify('{schema}.c' || told.client, 'm');
        ELSE
            message := message || CASE WHEN message = '' THEN '' ELSE ',' END || item;
        END IF;
    END LOOP;
    IF message <> '' THEN
        PERFORM pg_notify('{schema}.c' || listener, 'e[' || message || ']');
    END IF;
END $$;
