-- Delete some of what is over: keys, tokens, letters, tombstones, history, counts. Returns the most rows of a kind:
-- 1000, if there is more.
CREATE OR REPLACE FUNCTION {schema}.sweep_1(q int) RETURNS int {inner} AS $$
DECLARE
    now float8 := {schema}.now_1();
    most int;
    dropped int;
BEGIN
    WITH over AS MATERIALIZED (
        SELECT ctid AS at FROM {schema}.keys WHERE queue = q AND expires <= now
        ORDER BY expires LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
    DELETE FROM {schema}.keys AS it USING over WHERE it.ctid = over.at;
    GET DIAGNOSTICS most = ROW_COUNT;
    WITH over AS MATERIALIZED (
        SELECT ctid AS at FROM {schema}.tokens WHERE queue = q AND expires <= now
        ORDER BY expires LIMIT 1000 FOR UPDATE SKIP LOCKED
    )
    DELETE FROM {schema}.tokens AS it USING over WHERE it.ctid = over.at;
    GET DIAGNOSTICS dropped = ROW_COUNT;
    most := greatest(
        most, dropped, {schema}.sweep_letters_1(q, now), {schema}.sweep_ended_1(q, now),
        {schema}.sweep_history_1(q, now), {schema}.sweep_attempts_1(q, now)
    );
    PERFORM {schema}.sweep_counts_1(q, now, 60, 21600), {schema}.sweep_counts_1(q, now, 600, 172800),
        {schema}.sweep_counts_1(q, now, 3600, 2592000);  -- COUNT_SPANS
    RETURN most;
END $$;
