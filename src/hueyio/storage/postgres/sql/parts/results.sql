-- Write the results of tasks; a value that is NULL deletes what was stored. No id may come twice.
CREATE OR REPLACE FUNCTION {schema}.put_results_1(q int, ids text[], results bytea[], until float8[])
RETURNS void {inner} AS $$
DECLARE
    gone text[];
BEGIN
    INSERT INTO {schema}.keys (queue, area, key, value, expires)
    SELECT q, 0, it.id, it.value, it.expires FROM unnest(ids, results, until) AS it (id, value, expires)
    WHERE it.value IS NOT NULL ORDER BY it.id COLLATE "C"
    ON CONFLICT (queue, area, key) DO UPDATE SET value = excluded.value, expires = excluded.expires;
    gone := ARRAY(SELECT it.id FROM unnest(ids, results) AS it (id, value) WHERE it.value IS NULL);
    IF cardinality(gone) > 0 THEN
        PERFORM {schema}.drop_keys_1(q, 0, gone);
    END IF;
END $$;

-- Let a result expire after so many seconds, if it would stay longer.
CREATE OR REPLACE FUNCTION {schema}.shorten_1(q int, wanted text, ttl float8) RETURNS void {inner} AS $$
DECLARE
    until float8 := {schema}.now_1() + ttl;
BEGIN
    UPDATE {schema}.keys SET expires = until
    WHERE queue = q AND area = 0 AND key = wanted AND (expires IS NULL OR expires > until);
END $$;
