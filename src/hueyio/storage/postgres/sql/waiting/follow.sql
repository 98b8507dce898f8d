-- Let a client follow the progress of a task; return what was reported last.
CREATE OR REPLACE FUNCTION {schema}.follow_1(q int, who text, task_id text) RETURNS bytea {entry} AS $$
BEGIN
    INSERT INTO {schema}.followers (queue, id, client, expires) VALUES (q, task_id, who, {schema}.now_1() + 86400)
    ON CONFLICT DO NOTHING;
    RETURN (SELECT progress FROM {schema}.tasks WHERE queue = q AND id = task_id);
END $$;

CREATE OR REPLACE FUNCTION {schema}.unfollow_1(q int, who text, task_id text) RETURNS void {entry} AS $$
BEGIN
    DELETE FROM {schema}.followers WHERE queue = q AND id = task_id AND client = who;
END $$;
