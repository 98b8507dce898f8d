-- A stage as a part of a whole pipeline.
CREATE OR REPLACE FUNCTION {schema}.stage_part_1(stage_id text, message bytea) RETURNS bytea {inner} AS $$
DECLARE
    raw bytea := {schema}.plain_1(stage_id);
BEGIN
    RETURN convert_to(format('%s:%s:', length(raw), length(message)), 'UTF8') || raw || message;
END $$;
