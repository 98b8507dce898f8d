-- Let claims return tasks again, tell the owners, and ring all lanes.
CREATE OR REPLACE FUNCTION {schema}.resume_1(q int) RETURNS void {entry} AS $$
BEGIN
    UPDATE {schema}.queues SET paused_by = NULL, paused_at = NULL WHERE queue = q;
    PERFORM {schema}.notice_1(q);
    PERFORM {schema}.ring_1(q, 7);
END $$;
