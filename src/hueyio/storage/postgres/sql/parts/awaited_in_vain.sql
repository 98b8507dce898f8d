-- Ids that somebody waits for although nothing is on its way.
CREATE OR REPLACE FUNCTION {schema}.awaited_in_vain_1(q int) RETURNS text[] {inner} AS $$
BEGIN
    RETURN coalesce((
        SELECT array_agg(DISTINCT it.id) FROM {schema}.waiters AS it WHERE it.queue = q AND NOT it.is_over
            AND NOT EXISTS (SELECT FROM {schema}.tasks AS task WHERE task.queue = q AND task.id = it.id)
            AND NOT EXISTS (SELECT FROM {schema}.expected AS later WHERE later.queue = q AND later.id = it.id)
    ), '{}');
END $$;
