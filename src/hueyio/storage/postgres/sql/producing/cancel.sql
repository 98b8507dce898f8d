-- Flag what is alive; take what no owner holds yet.
CREATE OR REPLACE FUNCTION {schema}.cancel_1(q int, ids text[], who text)
RETURNS SETOF {schema}.delivery {entry} AS $$
DECLARE
    wanted text;
    holder text;
    taken text[] := '{}';
    is_noticed bool := false;
BEGIN
    PERFORM FROM {schema}.holdings AS h WHERE h.queue = q AND h.owner = who FOR UPDATE;
    IF NOT FOUND THEN
        PERFORM {schema}.require_lease_1(q, who);
    END IF;
    FOREACH wanted IN ARRAY ids LOOP
        UPDATE {schema}.tasks AS t SET cancelled = true WHERE t.queue = q AND t.id = wanted RETURNING t.owner INTO holder;
        CONTINUE WHEN NOT FOUND;
        INSERT INTO {schema}.flags (queue, id) VALUES (q, wanted) ON CONFLICT DO NOTHING;
        IF holder IS NULL THEN
            PERFORM {schema}.take_one_1(q, who, wanted);
            taken := taken || wanted;
        END IF;
        is_noticed := true;
    END LOOP;
    IF is_noticed THEN
        PERFORM {schema}.notice_1(q);
    END IF;
    RETURN QUERY SELECT * FROM {schema}.deliver_1(q, taken);
END $$;
