-- Add entries within a transaction of the application's, which may stay open for long. `expected` is the database of the
-- queue; w: this is another one. No sleeper's row is touched, which would be locked up to the commit: ring_1 sends a notice to
-- all sessions of the queue instead, always. The server delivers it with the commit, or never, also to who falls asleep
-- meanwhile, whatever the isolation. The schedule is rung for every eta: what is due first now may not be then.
CREATE OR REPLACE FUNCTION {schema}.enqueue_in_1(q int, expected text, items jsonb, blobs bytea[], bounds jsonb)
RETURNS TABLE (verdict text, holder text) {joined} AS $$
DECLARE
    entries {schema}.entry[];
BEGIN
    IF expected <> {schema}.database_1() THEN
        verdict := 'w';
        RETURN NEXT;
        RETURN;
    END IF;
    PERFORM {schema}.use_bounds_1(bounds);
    PERFORM set_config('hueyio.late_from', nextval('{schema}.places')::text, true);
    entries := {schema}.entries_1(items, blobs);
    RETURN QUERY SELECT * FROM {schema}.add_1(q, entries, true);
    IF EXISTS (SELECT FROM unnest(entries) AS it WHERE it.eta IS NOT NULL) THEN
        PERFORM {schema}.ring_1(q, 8);
    END IF;
    PERFORM set_config('hueyio.late_from', '', true);
END $$;

-- What tells this database from all others; a standby that is promoted is the same.
CREATE OR REPLACE FUNCTION {schema}.database_1() RETURNS text {reader} AS $$
BEGIN
    RETURN format('%s %s', (SELECT system_identifier FROM pg_control_system()),
        (SELECT oid FROM pg_database WHERE datname = current_database()));
END $$;
