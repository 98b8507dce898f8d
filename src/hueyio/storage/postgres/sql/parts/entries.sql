-- Read entries: each item is [id, lane, rank, eta, max_deliveries, unique_key, more, number of its message among the
-- blobs, ids of its stages], and the messages of the stages follow its own.
CREATE OR REPLACE FUNCTION {schema}.entries_1(items jsonb, blobs bytea[]) RETURNS {schema}.entry[] {inner} AS $$
BEGIN
    RETURN coalesce((
        SELECT array_agg(ROW(
            it ->> 0, (it ->> 1)::smallint, (it ->> 2)::float8, (it ->> 3)::float8, (it ->> 4)::int, it ->> 5,
            nullif(it -> 6, 'null'::jsonb), blobs[(it ->> 7)::int + 1],
            CASE WHEN jsonb_array_length(it -> 8) > 0 THEN ARRAY(SELECT jsonb_array_elements_text(it -> 8)) END,
            CASE WHEN jsonb_array_length(it -> 8) > 0
                THEN blobs[(it ->> 7)::int + 2 : (it ->> 7)::int + 1 + jsonb_array_length(it -> 8)] END
        )::{schema}.entry ORDER BY n)
        FROM jsonb_array_elements(items) WITH ORDINALITY AS given (it, n)
    ), '{}');
END $$;
