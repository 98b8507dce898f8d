-- Let what this transaction ends or buries be kept within the bounds of the storage that asks: the functions that it
-- calls read them, instead of handing them on to each other.
CREATE OR REPLACE FUNCTION {schema}.use_bounds_1(bounds jsonb) RETURNS void {inner} AS $$
BEGIN
    PERFORM set_config('hueyio.bounds', bounds::text, true);
END $$;
