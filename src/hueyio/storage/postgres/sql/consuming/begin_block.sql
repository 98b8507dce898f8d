-- Begin what a body writes in a transaction of its own: bound its time, in milliseconds, also for a client that is gone,
-- and mark it. Return the number of the queue; NULL if the receipt is not in force. Nothing is locked, so that nobody waits
-- for the body: not who takes the lease away, nor who cancels the task, nor its own worker, which may give it up.
CREATE OR REPLACE FUNCTION {schema}.begin_block_1(
    queue_name text, task_id text, who text, times int, mark text, most int
) RETURNS int {joined} AS $$
DECLARE
    bound record;
BEGIN
    FOR bound IN
        SELECT it.name, it.setting FROM pg_settings AS it  -- the last one is there since PostgreSQL 17
        WHERE it.name IN ('statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout')
    LOOP
        IF bound.setting::int = 0 OR bound.setting::int > most THEN
            PERFORM set_config(bound.name, most::text, true);
        END IF;
    END LOOP;
    PERFORM set_config('hueyio.block', mark, true);
    RETURN (
        SELECT t.queue FROM {schema}.tasks AS t
        WHERE t.queue = (SELECT it.queue FROM {schema}.queues AS it WHERE it.name = queue_name)
            AND t.id = task_id AND t.owner = who AND t.deliveries = times
    );
END $$;
