-- Let claims return nothing, and tell the owners.
CREATE OR REPLACE FUNCTION {schema}.pause_1(q int, who text) RETURNS void {entry} AS $$
BEGIN
    UPDATE {schema}.queues SET paused_by = who, paused_at = {schema}.now_1() WHERE queue = q;
    PERFORM {schema}.notice_1(q);
END $$;
