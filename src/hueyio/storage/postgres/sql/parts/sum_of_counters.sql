-- Numbers by names, added up.
CREATE OR REPLACE FUNCTION {schema}.sum_of_counters_1(known jsonb, more jsonb) RETURNS jsonb {inner} AS $$
BEGIN
    RETURN (
        SELECT jsonb_object_agg(it.key, it.sum) FROM (
            SELECT each.key, sum(each.value::numeric) AS sum
            FROM (SELECT * FROM jsonb_each_text(known) UNION ALL SELECT * FROM jsonb_each_text(more)) AS each
            GROUP BY each.key
        ) AS it
    );
END $$;
