-- The permits of a key that have not ended, by their tokens, as shared/permits.py writes them; what is no permits at
-- all counts as none.
CREATE OR REPLACE FUNCTION {schema}.permits_1(content bytea, now float8) RETURNS jsonb {inner} AS $$
DECLARE
    known jsonb;
BEGIN
    BEGIN
        known := convert_from(content, 'UTF8')::jsonb;
    EXCEPTION WHEN data_exception OR syntax_error THEN
        RETURN '{}';
    END;
    IF known IS NULL OR jsonb_typeof(known) <> 'object' THEN
        RETURN '{}';
    END IF;
    RETURN coalesce((
        SELECT jsonb_object_agg(it.key, it.value) FROM jsonb_each(known) AS it
        WHERE jsonb_typeof(it.value) = 'object' AND {schema}.end_of_permit_1(it.value) > now
    ), '{}');
END $$;
