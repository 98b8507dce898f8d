-- What is known of expected ids, see `page_expected`.
CREATE OR REPLACE FUNCTION {schema}.describe_expected_1(q int, wanted text[], bytes int)
RETURNS TABLE (id text, namers text[], lane smallint, rank float8, eta float8, max_deliveries int, unique_key text,
    more jsonb, head bytea) {entry} AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY SELECT * FROM {schema}.expected_rows_1(q, wanted, bytes);
END $$;
