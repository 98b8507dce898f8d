-- Add to a counter and return it, as text; NULL, with nothing changed, if the key holds no number.
CREATE OR REPLACE FUNCTION {schema}.add_number_1(q int, of_area int, name text, amount text, ttl float8)
RETURNS text {entry} AS $$
DECLARE
    it {schema}.keys;
    sum text := amount::numeric::text;
BEGIN
    LOOP
        IF {schema}.put_if_absent_1(q, of_area, name, convert_to(sum, 'UTF8'), ttl) THEN
            RETURN sum;
        END IF;
        SELECT * INTO it FROM {schema}.keys WHERE queue = q AND area = of_area AND key = name FOR UPDATE;
        EXIT WHEN FOUND AND (it.expires IS NULL OR it.expires > {schema}.now_1());
    END LOOP;
    IF encode(it.value, 'escape') !~ '^[+-]?[0-9]+$' THEN
        RETURN NULL;
    END IF;
    sum := (encode(it.value, 'escape')::numeric + amount::numeric)::text;
    UPDATE {schema}.keys SET value = convert_to(sum, 'UTF8') WHERE queue = q AND area = of_area AND key = name;
    RETURN sum;
END $$;
