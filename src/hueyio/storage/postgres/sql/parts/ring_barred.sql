-- Ring for work that could not be claimed while an owner held what it has let go. A suspect waits until its taker holds
-- nothing, and whoever holds a suspect gets nothing else: the rings of that work may have been heard meanwhile.
CREATE OR REPLACE FUNCTION {schema}.ring_barred_1(q int, who text, was_suspect bool) RETURNS void {inner} AS $$
BEGIN
    IF was_suspect THEN
        PERFORM {schema}.ring_1(q, {schema}.ready_lanes_1(q));
    END IF;
    PERFORM FROM {schema}.tasks AS t WHERE t.queue = q AND t.state = 1 LIMIT 1;
    IF FOUND THEN
        PERFORM FROM {schema}.holdings AS h
        WHERE h.queue = q AND h.owner = who AND h.claimed = {schema}.settled_1(q, who);
        IF FOUND THEN
            PERFORM {schema}.ring_1(q, {schema}.suspect_lanes_1(q));
        END IF;
    END IF;
END $$;
