-- How many tasks were added to each lane since somebody asked; lanes without any are left out.
CREATE OR REPLACE FUNCTION {schema}.take_entered_1(q int) RETURNS jsonb {inner} AS $$
DECLARE
    taken jsonb;
BEGIN
    WITH those AS MATERIALIZED (
        SELECT ctid AS at FROM {schema}.entered WHERE queue = q FOR UPDATE SKIP LOCKED
    ), gone AS (
        DELETE FROM {schema}.entered AS it USING those WHERE it.ctid = those.at RETURNING it.loop, it.thread, it.process
    )
    SELECT jsonb_strip_nulls(jsonb_build_object(
        'loop', nullif(sum(loop), 0), 'thread', nullif(sum(thread), 0), 'process', nullif(sum(process), 0)
    )) INTO taken FROM gone;
    RETURN taken;
END $$;
