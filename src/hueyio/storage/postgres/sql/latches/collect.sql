-- The results of the members of latches, with their places; size is NULL where there is no latch.
CREATE OR REPLACE FUNCTION {schema}.collect_1(q int, names text[])
RETURNS TABLE (size int, places int[], results bytea[]) {entry} AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT latch.size, found.places, found.results
    FROM unnest(names) WITH ORDINALITY AS asked (name, n)
    LEFT JOIN LATERAL (
        SELECT l.size FROM {schema}.latches AS l WHERE l.queue = q AND l.key = asked.name
    ) AS latch ON true
    LEFT JOIN LATERAL (
        SELECT array_agg(r."position") AS places, array_agg(r.value) AS results
        FROM {schema}.reports AS r WHERE r.queue = q AND r.key = asked.name
    ) AS found ON true
    ORDER BY asked.n;
END $$;
