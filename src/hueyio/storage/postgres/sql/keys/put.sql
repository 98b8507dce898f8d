-- Write all items, over what was there.
CREATE OR REPLACE FUNCTION {schema}.put_1(q int, of_area int, names text[], contents bytea[], ttl float8)
RETURNS void {entry} AS $$
DECLARE
    until float8 := {schema}.now_1() + ttl;
BEGIN
    INSERT INTO {schema}.keys (queue, area, key, value, expires)
    SELECT q, of_area, it.name, it.content, until
    FROM unnest(names, contents) AS it (name, content) ORDER BY it.name COLLATE "C"
    ON CONFLICT (queue, area, key) DO UPDATE SET value = excluded.value, expires = excluded.expires;
    PERFORM {schema}.tell_written_1(q, of_area);
END $$;
