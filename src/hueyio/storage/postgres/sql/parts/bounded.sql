-- What is to be added to a part of a slot that tells no more than a hundred names apart (MOST_COUNTED): the others go
-- to one that stands for all of them (OTHERS).
CREATE OR REPLACE FUNCTION {schema}.bounded_1(q int, of_span int, number bigint, of_part text, more jsonb)
RETURNS jsonb {inner} AS $$
DECLARE
    known jsonb := coalesce((
        SELECT data FROM {schema}.counts WHERE queue = q AND span = of_span AND slot = number AND part = of_part
    ), '{}');
    room int := greatest(100 - (SELECT count(*) FROM jsonb_object_keys(known - '~other')), 0);
    refused text[];
BEGIN
    SELECT array_agg(it.key) INTO refused FROM (
        SELECT key FROM jsonb_object_keys(more - '~other') AS key WHERE NOT known ? key
        ORDER BY key COLLATE "C" OFFSET room
    ) AS it;
    IF refused IS NULL THEN
        RETURN more;
    END IF;
    RETURN {schema}.sum_of_counters_1(
        more - refused,
        jsonb_build_object('~other', (SELECT sum((more ->> key)::numeric) FROM unnest(refused) AS key))
    );
END $$;
