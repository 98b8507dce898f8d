-- Tell the owners of what was written in an area that they look at: revocations and schedules.
CREATE OR REPLACE FUNCTION {schema}.tell_written_1(q int, of_area int) RETURNS void {inner} AS $$
BEGIN
    IF of_area IN (2, 6) THEN
        UPDATE {schema}.queues SET revocations = revocations + 1 WHERE queue = q;
        PERFORM {schema}.notice_1(q);
    END IF;
END $$;
