-- End a lease, with its rows locked in one order; what it held goes to where it stood, with so many deliveries more. Return
-- how many that were.
CREATE OR REPLACE FUNCTION {schema}.end_lease_1(q int, who text, counted int) RETURNS int {inner} AS $$
DECLARE
    mask int;
    how_many int;
    claimed_ bigint;
    settled_ bigint;
    mine tid[];
BEGIN
    DELETE FROM {schema}.beats WHERE queue = q AND owner = who;
    DELETE FROM {schema}.holdings WHERE queue = q AND owner = who RETURNING claimed INTO claimed_;
    settled_ := {schema}.settled_1(q, who);
    mine := {schema}.held_by_1(q, who, claimed_ - settled_);
    WITH back AS (
        UPDATE {schema}.tasks
        SET owner = NULL, progress = NULL, deliveries = deliveries + counted,
            state = CASE
                WHEN deliveries + counted > 0 AND max_deliveries - deliveries - counted = 1 THEN 1
                ELSE 0
            END
        WHERE ctid = ANY (mine)
        RETURNING lane
    )
    SELECT coalesce(bit_or(1 << lane), 0), count(*) INTO mask, how_many FROM back;
    DELETE FROM {schema}.owners WHERE queue = q AND owner = who;
    DELETE FROM {schema}.completed WHERE queue = q AND owner = who;
    PERFORM {schema}.end_permits_1(q, who);
    IF how_many > 0 THEN
        PERFORM {schema}.rewind_1(q);
        PERFORM {schema}.ring_1(q, mask);
    END IF;
    RETURN how_many;
END $$;

-- End the lease of an owner that goes.
CREATE OR REPLACE FUNCTION {schema}.deregister_1(q int, who text) RETURNS void {entry} AS $$
BEGIN
    PERFORM FROM {schema}.owners WHERE queue = q AND owner = who FOR UPDATE;
    IF FOUND THEN
        PERFORM {schema}.end_lease_1(q, who, 0);
    END IF;
END $$;

-- End the lease of an owner whose heartbeat stands still; NULL if it does not.
CREATE OR REPLACE FUNCTION {schema}.reclaim_1(q int, who text, last_beat bigint) RETURNS int {entry} AS $$
BEGIN
    PERFORM FROM {schema}.owners WHERE queue = q AND owner = who FOR UPDATE;
    IF FOUND THEN
        PERFORM FROM {schema}.beats WHERE queue = q AND owner = who AND beat = last_beat FOR UPDATE;
        IF FOUND THEN
            RETURN {schema}.end_lease_1(q, who, 1);
        END IF;
    END IF;
    RETURN NULL;
END $$;
