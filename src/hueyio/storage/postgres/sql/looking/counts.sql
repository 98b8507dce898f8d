-- Count everything; with `most` no further than that where counting takes long: a figure above it is a lower bound.
CREATE OR REPLACE FUNCTION {schema}.counts_1(q int, most bigint)
RETURNS TABLE (loop bigint, thread bigint, process bigint, suspects bigint, scheduled bigint, running bigint,
    expected bigint, results bigint, dead bigint, dead_dropped bigint, latches bigint, failed bigint) {entry} AS $$
#variable_conflict use_column
DECLARE
    now float8 := {schema}.now_1();
    room bigint := most + 1;
    ready bigint[];
BEGIN
    FOR number IN 0 .. 2 LOOP
        ready[number] := (SELECT count(*) FROM (
            SELECT FROM {schema}.tasks AS it
            WHERE it.queue = q AND it.lane = number AND it.state = 0 AND it.owner IS NULL LIMIT room
        ) AS counted);
    END LOOP;
    RETURN QUERY SELECT
        ready[0], ready[1], ready[2],
        (SELECT count(*) FROM (
            SELECT FROM {schema}.tasks AS it WHERE it.queue = q AND it.state = 1 AND it.owner IS NULL LIMIT room
        ) AS counted),
        (SELECT count(*) FROM (
            SELECT FROM {schema}.tasks AS it WHERE it.queue = q AND it.state = 2 LIMIT room
        ) AS counted),
        (SELECT count(*) FROM {schema}.held_rows_1(q)),
        (SELECT count(*) FROM (
            SELECT DISTINCT it.id FROM {schema}.expected AS it WHERE it.queue = q LIMIT room
        ) AS counted),
        (SELECT count(*) FROM (
            SELECT FROM {schema}.keys AS it WHERE it.queue = q AND it.area = 0
                AND (it.expires IS NULL OR it.expires > now) LIMIT room
        ) AS counted),
        ({schema}.count_letters_1(q, 'd'))[1],
        (SELECT it.dead_dropped FROM {schema}.queues AS it WHERE it.queue = q),
        (SELECT count(*) FROM {schema}.latches AS it WHERE it.queue = q),
        ({schema}.count_letters_1(q, 'f'))[1];
END $$;
