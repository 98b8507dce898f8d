-- When a permit ends by itself.
CREATE OR REPLACE FUNCTION {schema}.end_of_permit_1(permit jsonb) RETURNS float8 {inner} AS $$
BEGIN
    RETURN least(
        coalesce((permit ->> 'until')::float8, 'infinity'), coalesce((permit ->> 'deadline')::float8, 'infinity')
    );
END $$;
